"""What passes the schema and still makes no sense: reported as condition Stalled before anything is touched."""

import re
from collections.abc import Iterator

from serinus.api.canarydeployment import CanaryDeploymentSpec
from serinus.api.errors import Problem
from serinus.api.traffic import Arm, Traffic, contradict

# Keys of maps, for which a structural schema has no words, and which CEL could only search at too high a cost.
_LABEL_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SERIES_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}")

# What Python's regular expressions have and RE2's have not: looking around, references back, possessive quantifiers.
_NOT_RE2 = re.compile(r"\(\?(=|!|<[=!]|>|\(|#|P=)|\\[1-9Z]|[*+?}]\+|\{\d{4,}")


def problems(spec: CanaryDeploymentSpec) -> tuple[Problem, ...]:
    """What makes no sense in a spec that the schema and its rules accept; the fields begin with `spec.`."""
    return (
        *_bad_label_names("stable", spec.stable),
        *_bad_label_names("canary", spec.canary),
        *_blurred_arms(spec),
        *_bad_regexes(spec.traffic),
    )


def _bad_label_names(side: str, arm: Arm) -> Iterator[Problem]:
    for name in arm.labels or ():
        if not _LABEL_NAME.fullmatch(name):
            yield Problem(f"spec.{side}.labels", f"{name!r} is not the name of a Kubernetes label")
    for name in arm.metric_labels or ():
        if not _SERIES_LABEL_NAME.fullmatch(name):
            yield Problem(f"spec.{side}.metricLabels", f"{name!r} is not the name of a label in Prometheus")


def _blurred_arms(spec: CanaryDeploymentSpec) -> Iterator[Problem]:
    """The arms' series cannot be told apart; where a subset is the user's own, only the mesh knows its labels."""
    series = {}
    for side, arm in (("stable", spec.stable), ("canary", spec.canary)):
        series[side] = arm.series_labels(arm.labels or {})
        if series[side] is None and arm.labels:
            yield Problem(
                f"spec.{side}.metricLabels",
                f"is required where spec.{side}.labels has no `version`: Istio's metrics tell versions apart by it",
            )
    stable, canary = series["stable"], series["canary"]
    if stable and canary and not contradict(canary, stable):
        yield Problem(
            "spec.canary.metricLabels",
            f"requests would count for both arms: {canary} and {stable} can be labels of the same series",
        )


def _bad_regexes(traffic: Traffic) -> Iterator[Problem]:
    """Envoy refuses a whole configuration for one bad expression, and with it every later change of any route."""
    for index, one in enumerate(traffic.audience or ()):
        for header in one.headers:
            if header.regex is not None and not _is_re2(header.regex):
                yield Problem(
                    f"spec.traffic.audience[{index}]",
                    f"the regex for header {header.header!r} is not one of RE2, which Envoy reads",
                )


def _is_re2(regex: str) -> bool:
    try:
        re.compile(regex)
    except re.error:
        return False
    return not _NOT_RE2.search(regex)

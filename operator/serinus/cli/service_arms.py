"""Whose series are whose, from a manifest alone: no cluster is asked."""

from serinus.api import CanaryDeployment
from serinus.cli.inputs import InputError
from serinus.istio import canonical_host
from serinus.metrics import Arm, Arms


def arms_of_manifest(found: CanaryDeployment, namespace: str, reporter: str, fence: str | None) -> Arms:
    """As the operator would tell them apart. Raises InputError where only the cluster knows an arm's labels."""
    arms = {}
    for side, arm in (("stable", found.spec.stable), ("canary", found.spec.canary)):
        pods = arm.labels or {}
        series = arm.series_labels(pods)
        if not series:
            raise InputError(
                f"spec.{side}.metricLabels: required here, for only the cluster knows the labels of the subset "
                f"{arm.subset!r}"
            )
        arms[side] = Arm(arm.subset, tuple(sorted(series.items())), tuple(sorted(pods.items())))
    return Arms(
        namespace,
        canonical_host(found.spec.traffic.host, namespace),
        reporter,
        stable=arms["stable"],
        canary=arms["canary"],
        fence=((fence, namespace),) if fence else (),
    )

"""What the schema has and this version cannot do yet: refused by name, never ignored."""

from collections.abc import Iterator

from serinus.api.canarydeployment import CanaryDeploymentSpec


def unsupported(spec: CanaryDeploymentSpec) -> tuple[str, ...]:
    """What a spec asks for and only a later version will honour.

    A line for each field: its path, and what this version does instead.
    """
    return tuple(f"{field}: not available in this version, where {instead}" for field, instead in _of_spec(spec))


def _of_spec(spec: CanaryDeploymentSpec) -> Iterator[tuple[str, str]]:
    asked = {
        "spec.workloads": (spec.workloads, "workloads are not watched"),
        "spec.warmUp.requests": (spec.warm_up and spec.warm_up.requests, "no requests are sent to warm up"),
    }
    for field, (is_asked, instead) in asked.items():
        if is_asked:
            yield field, instead

"""Whether the API server serves the resources that the operator works with, in the versions that it knows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from serinus.api.crds import GROUP, VERSION
from serinus.doctor.finding import Finding, error, fine

_CHECK = "resources"
_OLDEST = (1, 29)
SERINUS, ISTIO = f"{GROUP}/{VERSION}", "networking.istio.io/v1"

WORKED_WITH: Mapping[str, tuple[str, ...]] = {
    SERINUS: ("canarydeployments", "canarypolicies", "canaryoverrides", "canaryrecords"),
    ISTIO: ("virtualservices", "destinationrules", "serviceentries", "workloadentries"),
}
"""Plural names, by group and version."""

_INSTALL = {
    SERINUS: "serinus crds | kubectl apply --server-side -f -",
    ISTIO: "install Istio 1.22 or newer, the first that serves this version",
}


@dataclass(frozen=True, slots=True)
class Served:
    """What the API server serves: its version (v1.31.2), and plural names of resources by group and version."""

    version: str
    resources: Mapping[str, frozenset[str]]

    def has(self, group: str, plural: str) -> bool:
        """Whether there is that resource in that group and version."""
        return plural in self.resources.get(group, frozenset())


def check_served(served: Served) -> Iterator[Finding]:
    """Kubernetes' version, Serinus' CRDs, Istio's."""
    found = re.match(r"v?(\d+)\.(\d+)", served.version)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        yield error(
            _CHECK,
            f"the API server is Kubernetes {served.version or 'of an unknown version'}",
            why="Serinus' CRDs and its admission policy need Kubernetes 1.29 or newer.",
            do="upgrade the cluster",
        )
    for group, plurals in WORKED_WITH.items():
        absent = [plural for plural in plurals if not served.has(group, plural)]
        if absent:
            yield error(
                _CHECK,
                f"{group} is not served: {', '.join(absent)}",
                why="The operator reads or writes these.",
                do=_INSTALL[group],
            )
        else:
            yield fine(_CHECK, f"{group} is served")

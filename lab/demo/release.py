"""A release in the lab: which version is to replace which, and the manifest that a user would apply for it."""

from dataclasses import dataclass

import yaml

from lab.stack.templates import render

_SPEC = yaml.safe_load(render("release.yaml", service="any", stable="v1", canary="v2"))["spec"]

LADDER: tuple[int, ...] = tuple(step["weight"] for step in _SPEC["ladder"])
"""The weights that every release of the lab climbs, in percent."""

WARM_UP = float(_SPEC["warmUp"]["duration"].removesuffix("s"))
"""Seconds that every release of the lab warms up."""

BASELINE_ERROR_RATE = 0.002
"""The share of requests that every version fails, the best ones too: the noise of a real service."""


@dataclass(frozen=True)
class Release:
    """The canary version is to replace the stable version of a service."""

    service: str
    stable: str
    canary: str

    @property
    def manifest(self) -> str:
        """The CanaryDeployment, as YAML."""
        return render("release.yaml", service=self.service, stable=self.stable, canary=self.canary)

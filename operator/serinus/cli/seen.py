"""A CanaryDeployment as commands read it: its status by the models, its spec as far as it can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from serinus.api import CanaryDeploymentSpec, CanaryDeploymentStatus, ConditionStatus
from serinus.cli.inputs import InputError

if TYPE_CHECKING:
    from serinus.rollout import Plan


@dataclass(frozen=True)
class Seen:
    """What the API server has of it at one moment."""

    namespace: str
    name: str
    generation: int
    spec: CanaryDeploymentSpec | None
    """None where this version cannot read it; then the operator says why, in a condition."""
    status: CanaryDeploymentStatus

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """From an object as the API server has it. Raises InputError for a status that cannot be read."""
        metadata = found["metadata"]
        try:
            status = CanaryDeploymentStatus.model_validate(found.get("status") or {})
        except ValidationError as error:
            place = f"{metadata['namespace']}/{metadata['name']}"
            told = f"the status of {place} is not one that this version of Serinus writes: kubectl describe shows it"
            raise InputError(told) from error
        try:
            spec = CanaryDeploymentSpec.model_validate(found.get("spec"))
        except ValidationError:
            spec = None
        return cls(metadata["namespace"], metadata["name"], metadata["generation"], spec, status)

    @property
    def is_seen(self) -> bool:
        """Whether the status speaks of the spec as it is now."""
        return self.status.observed_generation >= self.generation

    @property
    def has_ended(self) -> bool:
        """Whether the release that the spec asks for now has come to its end, not one that it overtakes."""
        overtaken = bool(self.status.history) and self.status.history[-1].verdict == "superseded"
        return self.is_seen and self.status.phase.is_end and not overtaken

    @cached_property
    def plan(self) -> Plan | None:
        """The rollout's own copy of ladder and policy; None before the first, or where it is damaged."""
        from serinus.rollout import Plan, PlanError

        if self.status.rollout is None:
            return None
        try:
            return Plan.unpack(self.status.rollout.snapshot)
        except PlanError:
            return None

    def condition(self, kind: str) -> ConditionStatus | None:
        """The condition of that type."""
        return next((each for each in self.status.conditions if each.type == kind), None)

    @property
    def stalled(self) -> ConditionStatus | None:
        """What is in its way, if anything."""
        found = self.condition("Stalled")
        return found if found is not None and found.status == "True" else None

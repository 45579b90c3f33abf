"""What a rollout wants done to the mesh: values, carried out by the controller."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PointSubset:
    """Give a subset of the DestinationRule these labels. Only ever asked for one without traffic."""

    subset: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the canary `weight` percent and name the decision on the VirtualServices.

    `urgent`: a rollback, which may be written before the status: it is safe to repeat and seconds matter. `final`: the
    rollout is over, so that audience and cohort end with it.
    """

    weight: int
    decision: str
    urgent: bool = False
    final: bool = False

    @property
    def rollout(self) -> str:
        """The id of the rollout that decided it."""
        return self.decision.rpartition("/")[0]


Intent = PointSubset | SetWeight

"""Whose series are whose: what tells stable from canary, in Istio's metrics and in the user's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Labels = tuple[tuple[str, str], ...]
"""Names and values of labels, sorted."""

Side = Literal["canary", "stable"]

SIDES: tuple[Side, ...] = ("canary", "stable")


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its subset, the labels of its series in Istio's metrics, and the labels of its pods."""

    subset: str
    series: Labels
    pods: Labels = ()


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms of a service, and what they share.

    `host`: the service as Istio's metrics name it (destination_service). `reporter`: whose metrics are read. `fence`:
    labels that every series must have, by order of the operator: a tenant sees its own series only. `young`: addresses
    of pods whose durations do not count yet.
    """

    namespace: str
    host: str
    reporter: str
    stable: Arm
    canary: Arm
    fence: Labels = ()
    young: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return hash((self.namespace, self.host))  # which few share: a thousand questions are looked up in every tick

    def of(self, side: Side) -> Arm:
        """The arm on that side."""
        return self.canary if side == "canary" else self.stable

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that tell whose a series is, sorted: both arms' and the fence's."""
        return tuple(sorted({name for name, _ in (*self.stable.series, *self.canary.series, *self.fence)}))

    def side_of(self, labels: Mapping[str, str]) -> Side | None:
        """Whose a series with these labels is; None where it is nobody's."""
        for side in SIDES:
            if all(labels.get(name, "") == value for name, value in (*self.of(side).series, *self.fence)):
                return side
        return None

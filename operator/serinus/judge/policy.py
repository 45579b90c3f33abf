"""What the judge must know of a policy: plain numbers, free of manifests and units."""

from dataclasses import dataclass, field
from typing import Literal

OnRegression = Literal["rollback", "hold", "report"]

GUARD = "error-guard"
"""Name under which the guard that every policy has (R08) finds its evidence: failed requests."""

GUARD_WEIGHT = 0.1
"""The guard's share of the family. Small, because an error metric of the policy sees the same errors."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The line θc = rho · θs + delta between what a canary may do and what it may not.

    `rho` has no unit, `delta` is a share of requests.
    """

    rho: float = 1.0
    delta: float = 0.0

    @classmethod
    def of(cls, absolute: float, relative: float, *, higher_is_better: bool) -> "Boundary":
        """The boundary of a tolerance or margin.

        Where less is better: θc ≤ (1 + relative) θs + absolute. Where more is better the promise is
        θc ≥ (1 − relative) θs − absolute; said of the failures f = 1 − θ, which is what is tested, that is
        fc ≤ (1 − relative) fs + relative + absolute.
        """
        if higher_is_better:
            return cls(1.0 - relative, absolute + relative)
        return cls(1.0 + relative, absolute)

    def at(self, stable_rate: float) -> float:
        """The canary's rate on the boundary when the stable's is `stable_rate`."""
        return self.rho * stable_rate + self.delta


@dataclass(frozen=True, slots=True)
class Metric:
    """A proportion: which regression rolls back (`tolerance`) and which a promotion must rule out (`margin`)."""

    name: str
    tolerance: Boundary
    margin: Boundary
    higher_is_better: bool = False
    on_regression: OnRegression = "rollback"
    tested: str = "share of events"
    tolerance_text: str = ""
    margin_text: str = ""

    @property
    def unit(self) -> float:
        """Scale of the differences worth telling apart: the tolerance (of a small rate), at least 0.1 %."""
        widest = max(self.tolerance.delta, self.margin.delta)
        slope = max(abs(self.tolerance.rho - 1), abs(self.margin.rho - 1))
        return max(0.001, widest, slope * 0.05)

    @property
    def gating(self) -> bool:
        """Whether the metric can block a promotion."""
        return self.on_regression != "report"


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that turns evidence into a verdict.

    `alpha`: probability of rolling back a canary that is within tolerance, over the rollout and all metrics.
    `beta`: probability per step of promoting one that is beyond a margin. `min_requests`: per arm and step.
    `spike`: the error rate that no canary may exceed (R08). `guard`: how far above the stable's error rate the
    guard lets the canary be, whatever the spike. `planned_ticks`: length of the rollout as planned.
    """

    metrics: tuple[Metric, ...]
    guard: Boundary
    alpha: float = 0.01
    beta: float = 0.05
    min_requests: int = 100
    spike: float = 0.10
    planned_ticks: int = 240

    weights: dict[str, float] = field(init=False, repr=False)
    """Each metric's share of the family that may roll back, the guard's included; they add up to 1."""

    def __post_init__(self) -> None:
        armed = [metric.name for metric in self.metrics if metric.on_regression == "rollback"]
        rest = 1.0 - GUARD_WEIGHT if armed else 0.0
        weights = {name: rest / len(armed) for name in armed} | {GUARD: 1.0 - rest}
        object.__setattr__(self, "weights", weights)

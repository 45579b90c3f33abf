"""What the judge must know of a policy: plain numbers, free of manifests and units."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from serinus.judge.evidence import Number

OnRegression = Literal["rollback", "hold", "report"]
PromoteOn = Literal["proven", "notWorse"]

GUARD = "error-guard"
"""Name under which the guard that every policy has (R08) finds its evidence: failed requests."""

GUARD_WEIGHT = 0.05
"""The guard's share of the family. Small, because an error metric of the policy sees the same errors."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The line θc = rho · θs + delta between what a canary may do and what it may not.

    `rho` has no unit, `delta` has the metric's: a share of requests, or milliseconds of a latency.
    """

    rho: float = 1.0
    delta: float = 0.0

    @classmethod
    def of(cls, absolute: float, relative: float, *, higher_is_better: bool) -> "Boundary":
        """The boundary of a proportion's tolerance or margin.

        Where less is better: θc ≤ (1 + relative) θs + absolute. Where more is better the promise is
        θc ≥ (1 − relative) θs − absolute; said of the failures f = 1 − θ, which is what is tested, that is
        fc ≤ (1 − relative) fs + relative + absolute.
        """
        if higher_is_better:
            return cls(1.0 - relative, absolute + relative)
        return cls(1.0 + relative, absolute)

    def at(self, stable: Number) -> Number:
        """The canary's value on the boundary when the stable's is `stable`."""
        return self.rho * stable + self.delta


@dataclass(frozen=True)
class Metric:
    """What all kinds of metric have: which regression rolls back and which a promotion must rule out.

    `tested` and the texts are for people: what was compared, and both regressions as the policy has them.
    """

    name: str
    tolerance: Boundary
    margin: Boundary
    on_regression: OnRegression = "rollback"
    tested: str = "share of events"
    tolerance_text: str = ""
    margin_text: str = ""

    @property
    def gating(self) -> bool:
        """Whether the metric can block a promotion."""
        return self.on_regression != "report"


@dataclass(frozen=True)
class Proportion(Metric):
    """Events among requests, in either direction: errors, successes, cache hits, conversions."""

    higher_is_better: bool = False


@dataclass(frozen=True)
class Latency(Metric):
    """Quantiles of a histogram. Boundaries: p_q may be rho · p_q + delta milliseconds.

    `quantiles` are its rows; those of them in `gates` can block and roll back, the others only report.
    """

    quantiles: tuple[float, ...] = (0.5, 0.9, 0.99, 0.999)
    gates: tuple[float, ...] = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Distribution(Metric):
    """Classes of requests. Boundaries: the total variation distance may be `delta`; `rho` is 1."""


@dataclass(frozen=True)
class Rate(Metric):
    """Events per exposure. Boundaries: the canary's rate may be rho times the stable's; `delta` is 0.

    `higher_is_better`: rho is below 1, and less than that is a regression. `two_sided`: both are, 1/rho and rho.
    """

    higher_is_better: bool = False
    two_sided: bool = False


@dataclass(frozen=True)
class Gauge(Metric):
    """A level such as memory or queue depth. Boundaries: the canary's may be rho times the stable's; `delta` is 0."""

    higher_is_better: bool = False


@dataclass(frozen=True)
class Policy:
    """Everything that turns evidence into a verdict.

    `alpha`: probability of rolling back a canary that is within tolerance, over the rollout and all metrics.
    `beta`: probability per step of promoting one that is beyond a margin. `min_requests`: per arm and step.
    `spike`: the error rate that no canary may exceed (R08). `guard`: how far above the stable's error rate the
    guard lets the canary be, whatever the spike. `planned_ticks`: length of the rollout as planned.
    `promote_on`: whether a promotion needs the proof that nothing is beyond its margin, or only no sign of it.
    """

    metrics: tuple[Metric, ...]
    guard: Boundary
    alpha: float = 0.01
    beta: float = 0.05
    min_requests: int = 100
    spike: float = 0.10
    planned_ticks: int = 240
    promote_on: PromoteOn = "proven"

    @cached_property
    def weights(self) -> dict[str, float]:
        """Each metric's share of the family that may roll back, the guard's included; they add up to 1."""
        armed = [metric.name for metric in self.metrics if metric.on_regression == "rollback"]
        rest = 1.0 - GUARD_WEIGHT if armed else 0.0
        return {name: rest / len(armed) for name in armed} | {GUARD: 1.0 - rest}

"""The guard that every policy has (R08): no canary may fail much more than the stable and more than the spike."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from serinus.judge import wealth
from serinus.judge.bets import OneArm, TwoArms
from serinus.judge.evidence import Counts, Evidence, Floats, Past
from serinus.judge.kinds.memory import Batch
from serinus.judge.kinds.proportion import faded, prior
from serinus.judge.policy import GUARD, Policy

_NO_EXCESS = np.zeros(1)


@dataclass(frozen=True)
class Guard:
    """Log-wealth against the spike alone and against the stable arm, shapes (..., 6), and failed requests."""

    one_arm: Floats
    two_arms: Floats
    canary: Counts  # of the step
    stable: Counts
    recent_stable: Counts
    latest: Counts  # of the canary, in the last tick

    @classmethod
    def start(cls, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        start = wealth.rollback_start(*batch).astype(np.float32)
        nothing = Counts(np.zeros(batch), np.zeros(batch))
        return cls(start, start, nothing, nothing, nothing + prior(_failures(past.stable)), nothing)

    def new_step(self) -> Self:
        """At the start of a step: its requests are counted anew."""
        nothing = Counts(0 * self.canary.n, 0 * self.canary.n)
        return replace(self, canary=nothing, stable=nothing)

    def settle(self, seen: Evidence, policy: Policy, number: int, *, bake: bool) -> Self:
        """After the tick `number` of the rollout.

        The null is that the canary's error rate is at most the spike's limit or at most what the stable's allows,
        whichever is higher; one e-process for each half, and the smaller wealth counts.
        """
        canary, stable = _failures(seen.canary) or Counts(), _failures(seen.stable) or Counts()
        rate = np.asarray(self.recent_stable.x / np.maximum(self.recent_stable.n, 1e-9))
        nc, xc, ns, xs = (np.asarray(each, dtype=float)[..., None] for each in (canary.n, canary.x, stable.n, stable.x))
        # Without a stable arm the limit is what its rate, as last known, allows: a spike must not wait for it.
        limits = np.stack(np.broadcast_arrays(policy.spike, policy.guard.at(rate)), axis=-1)
        one_arm = OneArm(nc, xc, limits, _NO_EXCESS).log_e()
        spike, two_arms = one_arm[..., 0, :], one_arm[..., 1, :]
        if not bake and np.any(ns > 0):
            boundary = policy.guard
            tests = TwoArms(nc, xc, ns, xs, rate[..., None], boundary.rho, boundary.delta, _NO_EXCESS, +1)
            two_arms = np.where(ns > 0, tests.log_e()[..., 0, :], two_arms)
        return replace(
            self,
            one_arm=wealth.rollback_step(self.one_arm, spike, number, policy.planned_ticks).astype(np.float32),
            two_arms=wealth.rollback_step(self.two_arms, two_arms, number, policy.planned_ticks).astype(np.float32),
            canary=self.canary + canary,
            stable=self.stable + stable,
            recent_stable=self.recent_stable if bake else faded(self.recent_stable) + stable,
            latest=canary,
        )

    def log_wealth(self, ticks: int, planned: int) -> Floats:
        """The smaller of both: shape (...)."""
        halves = [wealth.rollback_total(each.astype(float), ticks, planned) for each in (self.one_arm, self.two_arms)]
        return np.minimum(*halves)

    def is_elevated(self, spike: float) -> bool:
        """Whether the canary's error rate in the last tick was above half of the spike's."""
        return bool(self.latest.x > spike / 2 * self.latest.n)


def _failures(sample: object) -> Counts | None:
    if sample is None or isinstance(sample, Counts):
        return sample
    raise TypeError(f"{GUARD} is counted by Counts, not by {type(sample).__name__}")

"""The guard that every policy has (R08): no canary may fail much more than the stable and more than the spike."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from serinus.judge import wealth
from serinus.judge.bets import Asked, OneArm, TwoArms
from serinus.judge.evidence import Counts, Evidence, Floats, Integers, Past
from serinus.judge.kinds.memory import Batch, zero
from serinus.judge.kinds.proportion import faded, prior
from serinus.judge.policy import GUARD, Policy

_NO_EXCESS = np.zeros(1)
_HALVES = 2  # of its null: the spike's limit, and what the stable allows


@dataclass(frozen=True)
class GuardWatch:
    """Failed requests."""

    canary: Counts  # of the step
    stable: Counts
    recent_stable: Counts  # a fading sum
    latest: Counts  # of the canary, in the last tick

    @classmethod
    def start(cls, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        nothing = Counts(zero(batch), zero(batch))
        return cls(nothing, nothing, nothing + prior(_failures(past.stable)), nothing)

    def new_step(self) -> Self:
        """At the start of a step: its requests are counted anew."""
        nothing = Counts(0 * self.canary.n, 0 * self.canary.n)
        return replace(self, canary=nothing, stable=nothing)

    def ask(self, seen: Evidence, policy: Policy, *, bake: bool) -> Asked[Floats]:
        """The bets on a tick's evidence, log e of shape (..., 2, 6).

        The null is that the canary's error rate is at most the spike's limit or at most what the stable's allows,
        whichever is higher: bets for each half.
        """
        canary, stable = _failures(seen.canary) or Counts(), _failures(seen.stable) or Counts()
        rate = np.asarray(self.recent_stable.x / np.maximum(self.recent_stable.n, 1e-9))
        nc, xc, ns, xs = (np.asarray(each, dtype=float)[..., None] for each in (canary.n, canary.x, stable.n, stable.x))
        # Without a stable arm the limit is what its rate, as last known, allows: a spike must not wait for it.
        limits = np.empty((*rate.shape, _HALVES))
        limits[..., 0], limits[..., 1] = policy.spike, policy.guard.at(rate)
        alone = OneArm(nc, xc, limits, _NO_EXCESS).log_e()
        if bake or not (ns > 0).any():
            return Asked.known(alone)

        def halves(beside: Floats) -> Floats:
            against_stable = np.where(ns[..., None] > 0, beside, alone[..., 1:, :])
            return np.concatenate([alone[..., :1, :], against_stable], axis=-2)

        boundary = policy.guard
        tests = TwoArms(nc, xc, ns, xs, rate[..., None], boundary.rho, boundary.delta, _NO_EXCESS, +1)
        return Asked((tests.mixture(),), halves)

    def after(self, seen: Evidence, *, bake: bool) -> Self:
        """With the tick's evidence."""
        canary, stable = _failures(seen.canary) or Counts(), _failures(seen.stable) or Counts()
        return type(self)(
            canary=self.canary + canary,
            stable=self.stable + stable,
            recent_stable=self.recent_stable if bake else faded(self.recent_stable) + stable,
            latest=canary,
        )


@dataclass(frozen=True)
class Guard:
    """What is known of failed requests, and the log-wealth of both halves of the null: shape (..., 2, 6)."""

    watch: GuardWatch
    halves: Floats

    @classmethod
    def start(cls, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        return cls(GuardWatch.start(past, batch), wealth.rollback_start(*batch, _HALVES).astype(np.float32))

    def new_step(self) -> Self:
        """At the start of a step; rollback wealth goes on."""
        return replace(self, watch=self.watch.new_step())

    def after(self, watch: GuardWatch, log_e: Floats, policy: Policy, number: Integers) -> Self:
        """After the tick `number` of the rollout."""
        halves = wealth.rollback_step(self.halves, log_e, number, policy.planned_ticks)
        return type(self)(watch, halves.astype(np.float32))

    def log_wealth(self, ticks: Integers, planned: int) -> Floats:
        """The smaller of both halves', for the canary must be above both limits: shape (...)."""
        return np.asarray(wealth.rollback_total(self.halves.astype(float), ticks, planned).min(axis=-1))

    def is_elevated(self, spike: float) -> bool:
        """Whether the canary's error rate in the last tick was above half of the spike's."""
        return bool(self.watch.latest.x > spike / 2 * self.watch.latest.n)


def _failures(sample: object) -> Counts | None:
    if sample is None or isinstance(sample, Counts):
        return sample
    raise TypeError(f"{GUARD} is counted by Counts, not by {type(sample).__name__}")

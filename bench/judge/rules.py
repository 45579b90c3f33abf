"""The rules that people use today, re-stated from their documentation, on the error counts of many rollouts at once.

Each rule has one threshold, `limit`, on a number that it computes at each of its looks; a rollout is rolled back at the
first look whose number is above it. That makes the fairest comparison easy: `needed` is what the limit must be for a
rollout to survive, so the best limit for some traffic is a quantile of it.
"""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from typing import Self

import numpy as np
from scipy.special import ndtri

from bench.judge.bounds import nearest_null
from bench.judge.rollouts import NEVER, Ends
from bench.judge.traffic import Errors, Sizes
from serinus.judge import Boundary
from serinus.judge.evidence import Floats, Mask

MINUTE = 4
"""Ticks."""


@dataclass(frozen=True)
class Counted:
    """Failed requests of both arms in each tick: shape (rollouts, ticks); `sizes` are the requests."""

    sizes: Sizes
    xc: Floats
    xs: Floats

    @property
    def ticks(self) -> int:
        """How many were counted."""
        return int(self.xc.shape[-1])

    def first(self, rollouts: int) -> Self:
        """Only so many of the rollouts."""
        return replace(self, xc=self.xc[:rollouts], xs=self.xs[:rollouts])


@dataclass(frozen=True)
class Rule(ABC):
    """A rule with its threshold."""

    name: str
    limit: float

    @property
    def summary(self) -> dict[str, object]:
        """Name and settings, for a JSON file."""
        return asdict(self)

    @abstractmethod
    def looks(self, counted: Counted) -> Floats:
        """The ticks, counted from 1, after which the rule decides."""

    @abstractmethod
    def scores(self, counted: Counted) -> Floats:
        """What is compared with the limit: shape (rollouts, looks)."""

    @abstractmethod
    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """Whether a look lets the canary go on to more traffic, if it does not roll back: shape (rollouts, looks)."""

    def needed(self, counted: Counted) -> Floats:
        """For each rollout the smallest limit with which it is not rolled back."""
        return np.asarray(self.scores(counted).max(axis=-1))

    def ends(self, counted: Counted) -> Ends:
        """When the rule rolls back, and when it first lets the canary go on."""
        scores, looks = self.scores(counted), self.looks(counted)
        rollback = _first(scores > self.limit, looks)
        promotion = _first(self.passes(counted, scores) & (scores <= self.limit), looks)
        return Ends(rollback, np.where(promotion < rollback, promotion, NEVER))


@dataclass(frozen=True)
class FailureCount(Rule):
    """The canary's error rate over the last `interval` ticks is too high: a failed check; `failures` of them roll back.

    Flagger: `interval` 1m, `thresholdRange.min` 99 for the success rate, `threshold` 10 failed checks; each check that
    passes moves the weight on. Argo Rollouts: `interval` 5m, success ≥ 0.95, three failed measurements; the weight
    moves on every ten minutes unless the analysis has failed by then (`pace`).
    """

    interval: int
    failures: int
    pace: int

    def looks(self, counted: Counted) -> Floats:
        """At the end of each interval."""
        return np.arange(self.interval, counted.ticks + 1.0, self.interval)

    def scores(self, counted: Counted) -> Floats:
        """The error rate that `failures` of the checks so far have reached."""
        rates = self._rates(counted)
        worst = np.full((rates.shape[0], self.failures), -np.inf)
        scores = np.empty_like(rates)
        for check in range(rates.shape[1]):
            # The worst checks so far, in order: the one just seen takes the place of the mildest.
            worst[:, 0] = np.maximum(worst[:, 0], rates[:, check])
            worst.sort(axis=-1)
            scores[:, check] = worst[:, 0]
        return scores

    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """At the pace of the ladder, if that check itself did not fail."""
        on_pace = self.looks(counted) % self.pace == 0
        return np.asarray((self._rates(counted) <= self.limit) & on_pace)

    def _rates(self, counted: Counted) -> Floats:
        checks = counted.ticks // self.interval
        failed = counted.xc[:, : checks * self.interval].reshape(-1, checks, self.interval).sum(axis=-1)
        return np.asarray(failed / (self.interval * counted.sizes.canary))


@dataclass(frozen=True)
class Ranks(Rule):
    """Kayenta: a Mann-Whitney test of the arms' error rates, a point per tick, at 98 % confidence; two conditions.

    The canary is High if the confidence interval of the shift lies above a quarter of the shift's own estimate, and
    fails if in addition its mean is more than `limit` times the baseline's (the allowed increase; 1 as documented).
    Each run, one every `interval` ticks and none before 50 points, sees all points so far.
    """

    interval: int

    _POINTS = 50
    _CONFIDENCE = 0.98
    _FRACTION = 0.25

    def looks(self, counted: Counted) -> Floats:
        """The runs."""
        every = np.arange(self.interval, counted.ticks + 1.0, self.interval)
        return every[every >= self._POINTS]

    def scores(self, counted: Counted) -> Floats:
        """The ratio of the means where the ranks differ, else 0."""
        canary, stable = counted.xc / counted.sizes.canary, counted.xs / counted.sizes.stable
        columns = [self._ratio(canary[:, :look], stable[:, :look]) for look in self.looks(counted).astype(int)]
        return np.stack(columns, axis=-1)

    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """A run that does not fail lets the canary go on."""
        return np.ones(scores.shape, dtype=bool)

    def _ratio(self, canary: Floats, stable: Floats) -> Floats:
        ratio = canary.mean(axis=-1) / np.maximum(stable.mean(axis=-1), 1e-12)
        return np.asarray(np.where([self._is_high(*arms) for arms in zip(canary, stable, strict=True)], ratio, 0.0))

    def _is_high(self, canary: Floats, stable: Floats) -> bool:
        """The interval's lower end and the estimate are order statistics of all pairs' differences."""
        pairs = np.subtract.outer(canary, stable).ravel()
        n = canary.size
        spread = np.sqrt(n * n * (2 * n + 1) / 12)
        low = max(0, int(n * n / 2 - ndtri(0.5 + self._CONFIDENCE / 2) * spread))
        middle = n * n // 2
        ordered = np.partition(pairs, (low, middle))
        return bool(ordered[low] > self._FRACTION * abs(ordered[middle]))


@dataclass(frozen=True)
class Peeking(Rule):
    """A z-test of all requests so far against the tolerance, repeated at every tick as if it were the only one.

    `limit` is the z that rolls back; below −`proof` the canary goes on.
    """

    tolerance: float
    proof: float

    def looks(self, counted: Counted) -> Floats:
        """Every tick."""
        return np.arange(1.0, counted.ticks + 1)

    def scores(self, counted: Counted) -> Floats:
        """z of the difference of the rates less the tolerance."""
        canary, stable = _rates_so_far(counted)
        seen = self.looks(counted)
        variance = canary * (1 - canary) / (seen * counted.sizes.canary) + stable * (1 - stable) / (
            seen * counted.sizes.stable
        )
        return np.asarray((canary - stable - self.tolerance) / np.sqrt(np.maximum(variance, 1e-12)))

    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """z is low enough."""
        return np.asarray(scores < -self.proof)


@dataclass(frozen=True)
class Difference(Rule):
    """What guides to canary releases show: each minute, from 100 canary requests on, the rates so far are compared.

    Rolled back if the canary's is more than `limit` above the stable's (0.02), or, at any tick, above 10 %; else the
    canary goes on. (Such a controller's limit on the latency, 50 ms more, has nothing to say about errors.)
    """

    _REQUESTS = 100
    _SPIKE = 0.10

    def looks(self, counted: Counted) -> Floats:
        """Every tick, for the sake of the spike."""
        return np.arange(1.0, counted.ticks + 1)

    def scores(self, counted: Counted) -> Floats:
        """The difference of the rates each minute; a spike is beyond any limit."""
        canary, stable = _rates_so_far(counted)
        looks = self.looks(counted)
        enough = looks * counted.sizes.canary >= self._REQUESTS
        compared = np.where(enough & (looks % MINUTE == 0), canary - stable, -np.inf)
        return np.where(enough & (canary > self._SPIKE), np.inf, compared)

    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """Each comparison that does not roll back."""
        return np.isfinite(scores)


@dataclass(frozen=True)
class Oracle(Rule):
    """A sequential probability ratio test that is told both rates, `canary` and the stable's, and has only to check.

    Its score is the log-likelihood ratio against the rates on the boundary that are hardest to tell from them. The
    canary goes on when the ratio for a canary like the stable reaches `proof`.
    """

    canary: float
    stable: float
    boundary: Boundary
    proof: float

    def looks(self, counted: Counted) -> Floats:
        """Every tick."""
        return np.arange(1.0, counted.ticks + 1)

    def scores(self, counted: Counted) -> Floats:
        """Against "within tolerance"."""
        return self._ratio(counted, self.canary)

    def passes(self, counted: Counted, scores: Floats) -> Mask:
        """Against "beyond the margin"."""
        return np.asarray(self._ratio(counted, self.stable) > self.proof)

    def _ratio(self, counted: Counted, canary: float) -> Floats:
        null_c, null_s = nearest_null(counted.sizes, canary, self.stable, self.boundary)
        ratio = _log_ratio(counted.xc, counted.sizes.canary, canary, null_c)
        ratio = ratio + _log_ratio(counted.xs, counted.sizes.stable, self.stable, null_s)
        return np.cumsum(ratio, axis=-1)


def count(errors: Errors, rollouts: int, ticks: int, rng: np.random.Generator) -> Counted:
    """Let `rollouts` of them run for `ticks` ticks."""
    stream = errors.ticks(rng, rollouts)
    seen = [next(stream) for _ in range(ticks)]
    return Counted(
        errors.sizes,
        np.stack([np.asarray(canary.x) for canary, _ in seen], axis=-1),
        np.stack([np.asarray(stable.x) for _, stable in seen], axis=-1),
    )


def _first(happened: Mask, looks: Floats) -> Floats:
    """The first look at which it happened, or NEVER."""
    return np.where(happened.any(axis=-1), looks[happened.argmax(axis=-1)], NEVER)


def _rates_so_far(counted: Counted) -> tuple[Floats, Floats]:
    seen = np.arange(1.0, counted.ticks + 1)
    canary = np.cumsum(counted.xc, axis=-1) / (seen * counted.sizes.canary)
    return canary, np.cumsum(counted.xs, axis=-1) / (seen * counted.sizes.stable)


def _log_ratio(x: Floats, n: int, p: float, q: float) -> Floats:
    return np.asarray(x * np.log(p / q) + (n - x) * np.log((1 - p) / (1 - q)))

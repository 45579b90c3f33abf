"""Distributions: which classes the requests fall into, compared by their total variation distance.

For a rollback one set of classes is tested: those that the canary has over-produced before the tick. "In the set" is a
proportion that may be ε higher than the stable's. A promotion cannot choose its set from the data, for a distance of ε
says only that some set is ε apart: it keeps a wealth for every set of the most frequent classes and takes the smallest.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from serinus.judge import interval
from serinus.judge.bets import Asked, OneArm, TwoArms, Wagers
from serinus.judge.evidence import Classes, Floats, Mask, Past, Sample
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind
from serinus.judge.policy import Distribution

_FADE = 0.98  # per tick
_HISTORY_REQUESTS = 1000.0
_MOST_CLASSES = 60
OTHER = "(other)"
"""The class of all that came after the first 60 classes: a label without end must not fill the status."""

_GROUPS = 7  # the six most frequent classes, and the rest
_SETS = np.array([[bit >> group & 1 for group in range(_GROUPS)] for bit in range(1, 2**_GROUPS - 1)], dtype=float)
"""Every set of groups but none and all: shape (126, 7)."""

_DISTANCES = np.geomspace(0.05, 16.0, interval.POINTS)  # in units of the tolerance


@dataclass(frozen=True)
class DistributionMemory(Memory):
    """Counts of both arms by class."""

    unit: ClassVar[Unit] = "distance"
    name: ClassVar[str] = "distribution"
    stacks: ClassVar[bool] = False  # each has classes of its own

    names: tuple[str, ...]
    canary: Floats  # of the step; shape (..., names)
    stable: Floats
    recent_canary: Floats  # fading sums of the rollout
    recent_stable: Floats
    groups: Floats  # which of the 7 groups each class belongs to in this step; empty until the stable is known

    @classmethod
    def start(cls, metric: Distribution, past: Past, batch: Batch) -> Self:
        """Before the first tick; without history the first tick is not bet on."""
        if past.stable is None:
            nothing = np.zeros((*batch, 0))
            return cls((), *[nothing] * 5)
        known = of_kind(Classes, past.stable, metric)
        counts = np.broadcast_to(known.counts, (*batch, len(known.names))).astype(float)
        scale = np.minimum(1.0, _HISTORY_REQUESTS / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0))
        nothing = np.zeros_like(counts)
        return cls(known.names, nothing, nothing, nothing, counts * scale, _groups(counts))

    @classmethod
    def shape(cls, metric: Distribution) -> Shape:
        """For a promotion one test for each set, with one alternative."""
        return Shape(promote=(len(_SETS), 1))

    def new_step(self, metric: Distribution) -> Self:
        """The groups are chosen anew from what the stable does now."""
        nothing = np.zeros_like(self.canary)
        return replace(self, canary=nothing, stable=nothing, groups=_groups(self.recent_stable))

    def bets(
        self, metric: Distribution, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """One test for a rollback, 126 for a promotion, 24 for the lower end of the interval.

        An upper end would need a grid for each of the 126 sets.
        """
        known = self._with(metric, canary, stable)
        of_canary, of_stable = known._counts(metric, canary), known._counts(metric, stable)
        over_produced = known._over_produced(of_canary, of_stable, excess)
        rollback = replace(over_produced, delta=metric.tolerance.delta)
        asked = [rollback.mixture()]
        if unit is not None:
            asked.append(known._on_distances(replace(over_produced, delta=_grid(unit))))
        if known.groups.shape[-1]:
            asked.append(known._on_sets(metric, of_canary, of_stable, excess))

        def bets(log_e: Floats, *rest: Floats) -> Bets:
            settled = list(rest)
            # Without groups nothing is known of the stable from which a promotion could follow.
            promote = settled.pop() if known.groups.shape[-1] else None
            intervals = None
            if settled:
                lower = settled.pop()[..., 0]
                intervals = np.stack([lower, np.zeros_like(lower)], axis=-2)[..., None, :, :]
            return Bets(log_e, promote, rollback.phi(), intervals)

        return Asked(tuple(asked), bets)

    def bake_bets(self, metric: Distribution, canary: Sample, excess: Floats) -> Floats:
        """The classes that the canary has over-produced, against the stable's share of them as last seen."""
        known = self._with(metric, canary)
        of_canary = known._counts(metric, canary)
        tests = known._over_produced(of_canary, np.zeros_like(of_canary), excess)
        return OneArm(tests.nc, tests.xc, tests.rate + metric.tolerance.delta, excess).log_e()

    def interval_unit(self, metric: Distribution) -> Floats:
        """The tolerance."""
        return np.full((*self.canary.shape[:-1], 1), max(0.001, metric.tolerance.delta))

    def remember(self, metric: Distribution, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Counts by class; new classes join."""
        own = self._with(metric, *[each for each in (canary, stable) if each is not None])
        nothing = np.zeros_like(own.canary)
        of_canary = nothing if canary is None else own._counts(metric, canary)
        of_stable = nothing if stable is None else own._counts(metric, stable)
        recent_stable = own.recent_stable if bake else _FADE * own.recent_stable + of_stable
        return replace(
            own,
            canary=own.canary + of_canary,
            stable=own.stable + of_stable,
            recent_canary=_FADE * own.recent_canary + of_canary,
            recent_stable=recent_stable,
            groups=own.groups if own.groups.shape[-1] else _groups(recent_stable),
        )

    def requests(self) -> tuple[Floats, Floats]:
        """Both arms' requests in this step."""
        return self.canary.sum(axis=-1), self.stable.sum(axis=-1)

    def within_tolerance(self, metric: Distribution) -> Mask:
        """By the distance of the shares in this step; not without requests in both arms."""
        nc, ns = (counts.sum(axis=-1, keepdims=True) for counts in (self.canary, self.stable))
        above = np.maximum(self.canary / np.maximum(nc, 1) - self.stable / np.maximum(ns, 1), 0).sum(axis=-1)
        return np.asarray(((nc > 0) & (ns > 0))[..., 0] & (above <= metric.tolerance.delta))[..., None]

    def estimates(self, metric: Distribution) -> tuple[Estimate, ...]:
        """The arms' shares of the over-produced classes: their difference is the distance."""
        totals = [float(counts.sum()) for counts in (self.canary, self.stable)]
        if not all(totals):
            arms = [Arm(total, 0.0, None) for total in totals]
            return (Estimate(arms[0], arms[1], metric.tested),)
        is_over = self.canary / totals[0] > self.stable / totals[1]
        arms = [
            Arm(total, float(counts[is_over].sum()), float(counts[is_over].sum() / total))
            for counts, total in zip((self.canary, self.stable), totals, strict=True)
        ]
        rising = np.argsort(self.stable / totals[1] - self.canary / totals[0], kind="stable")[:3]
        more = ", ".join(self.names[index] for index in rising if is_over[index])
        tested = f"share of the classes that the canary has more of: {more}" if more else "total variation distance"
        return (Estimate(arms[0], arms[1], tested),)

    def intervals(self, metric: Distribution, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """The distance is at least the lower end, and never below 0."""
        return (Interval(interval.interval(_grid(unit), log_wealth[0], alpha).low),)

    def _with(self, metric: Distribution, *samples: Sample) -> Self:
        """With the samples' new classes, in the order of their names; of too many the rest is OTHER."""
        seen = {name for each in samples for name in of_kind(Classes, each, metric).names} - set(self.names)
        if not seen:
            return self
        room = max(0, _MOST_CLASSES - len(self.names))
        new = sorted(seen)[:room] + ([OTHER] if len(seen) > room and OTHER not in self.names else [])
        padding = [(0, 0)] * (self.canary.ndim - 1) + [(0, len(new))]
        is_grouped = self.groups.shape[-1] > 0
        return replace(
            self,
            names=(*self.names, *new),
            canary=np.pad(self.canary, padding),
            stable=np.pad(self.stable, padding),
            recent_canary=np.pad(self.recent_canary, padding),
            recent_stable=np.pad(self.recent_stable, padding),
            groups=np.pad(self.groups, padding, constant_values=_GROUPS - 1) if is_grouped else self.groups,
        )

    def _counts(self, metric: Distribution, sample: Sample) -> Floats:
        """The sample in the order of the memory's names."""
        classes = of_kind(Classes, sample, metric)
        if classes.names == self.names:
            return classes.counts.astype(float)
        place = {name: index for index, name in enumerate(self.names)}
        counts = np.zeros((*classes.counts.shape[:-1], len(self.names)))
        for index, name in enumerate(classes.names):
            counts[..., place.get(name, place.get(OTHER, -1))] += classes.counts[..., index]
        return counts

    def _over_produced(self, canary: Floats, stable: Floats, excess: Floats) -> TwoArms:
        """The test of the set that the canary has over-produced; no bet while it has produced nothing."""
        is_over = self._is_over()
        history = self.recent_stable.sum(axis=-1, keepdims=True)
        n = canary.sum(axis=-1, keepdims=True) * ((history > 0) & is_over.any(axis=-1, keepdims=True))
        return TwoArms(
            nc=n,
            xc=np.minimum((canary * is_over).sum(axis=-1, keepdims=True), n),
            ns=stable.sum(axis=-1, keepdims=True),
            xs=(stable * is_over).sum(axis=-1, keepdims=True),
            rate=(self.recent_stable * is_over).sum(axis=-1, keepdims=True) / np.maximum(history, 1e-9),
            rho=1.0,
            delta=0.0,
            excess=excess,
            side=+1,
        )

    def _on_sets(self, metric: Distribution, canary: Floats, stable: Floats, excess: Floats) -> Wagers:
        """A promotion's: for every set one bet that the canary's share is the stable's."""
        one_hot = self.groups[..., None] == np.arange(_GROUPS)
        in_sets = [
            np.einsum("...k,...kg,sg->...s", counts, one_hot, _SETS) for counts in (canary, stable, self.recent_stable)
        ]
        rate = in_sets[2] / np.maximum(self.recent_stable.sum(axis=-1, keepdims=True), 1e-9)
        tests = TwoArms(
            nc=canary.sum(axis=-1, keepdims=True),
            xc=in_sets[0],
            ns=stable.sum(axis=-1, keepdims=True),
            xs=in_sets[1],
            rate=rate,
            rho=1.0,
            delta=metric.margin.delta,
            excess=excess,
            side=-1,
        )
        return Wagers(tests, rate[..., None])

    def _on_distances(self, tests: TwoArms) -> Wagers:
        """The interval's: that the canary's share of what it has over-produced goes on as it was."""
        seen = self.recent_canary.sum(axis=-1, keepdims=True)
        x = (self.recent_canary * self._is_over()).sum(axis=-1, keepdims=True)
        expected = interval.believed(x, seen, tests.rate)
        return Wagers(tests, interval.targets(tests.boundary, expected, seen, np.array(+1.0))[..., None])

    def _is_over(self) -> Floats:
        canary = self.recent_canary / np.maximum(self.recent_canary.sum(axis=-1, keepdims=True), 1e-9)
        stable = self.recent_stable / np.maximum(self.recent_stable.sum(axis=-1, keepdims=True), 1e-9)
        return np.asarray(canary > stable)


def _grid(unit: Floats) -> Floats:
    """The distances that are tested, for units of shape (..., 1)."""
    return np.clip(_DISTANCES * unit, 0.0, 0.999)


def _groups(stable: Floats) -> Floats:
    """The group of each class: 0 … 5 for the six most frequent, 6 for the rest; empty where nothing is known."""
    if not stable.shape[-1] or not stable.any():
        return stable[..., :0]
    rank = np.argsort(np.argsort(-stable, axis=-1, kind="stable"), axis=-1, kind="stable")
    return np.minimum(rank, _GROUPS - 1).astype(float)

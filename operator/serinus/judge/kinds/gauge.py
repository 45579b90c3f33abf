"""Gauges: levels such as memory or queue depth, compared by the logarithm of their means (model-based).

The difference of the arms' log means over a block of 4 ticks is taken as Gaussian: the true difference Δ, an effect of
the pods that stays (variance τ²(1/kc + 1/ks) for kc and ks pods), and noise that is new in each block. After k blocks
their mean D has variance V = τ²(1/kc + 1/ks) + σ²/k, and a half-normal mixture over Δ beyond the boundary m gives the
e-value, with y = D − m and mixture scale s,

    e = 2 · sqrt(V/(V + s²)) · exp(y² s² / (2V(V + s²))) · Φ(y s / sqrt(V(V + s²)))

(Robbins' method of mixtures; for promotion y = m − D). The pods' part of V never shrinks: one pod may never suffice.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from serinus.judge.bets import Asked
from serinus.judge.dispersion import LAGS, long_run_variance, upper_factor
from serinus.judge.evidence import Floats, Mask, Past, Sample, Spread, Values
from serinus.judge.interval import Interval
from serinus.judge.kinds.memory import Arm, Batch, Bets, Estimate, Memory, Shape, Unit, of_kind
from serinus.judge.policy import Gauge
from serinus.judge.special import log_normal

BLOCK = 4
"""Ticks whose mean counts as one observation."""

_WINDOWS_NEEDED = 4  # windows of history that an estimate of the noise needs at least
_MODEL = "Gaussian, variances from the stable's history"
_FEW_PODS = "Gaussian; one pod in an arm may never suffice"
_UNKNOWN = "no history of the stable's pods: not judged"


@dataclass(frozen=True)
class GaugeMemory(Memory):
    """What the blocks said, and how gauges vary in the stable arm."""

    unit: ClassVar[Unit] = "value"
    name: ClassVar[str] = "gauge"
    stacks: ClassVar[bool] = False  # each finishes its blocks at a time of its own

    noise: float  # variance of a block's mean in one arm; NaN where there was no history
    pods: float  # variance between pods
    canary_pods: float  # the fewest that an arm has had
    stable_pods: float
    block_ticks: float  # of the unfinished block, and the sums of the arms' means in it
    block_canary: Floats
    block_stable: Floats
    rollout_blocks: float  # finished blocks, and the sum of their differences of log means
    rollout_total: Floats
    step_blocks: float
    step_total: Floats
    ticks: float  # of the step, and the sums of the arms' means over it
    canary: Floats
    stable: Floats

    @classmethod
    def start(cls, metric: Gauge, past: Past, batch: Batch) -> Self:
        """Before the first tick."""
        spread = past.spread or Spread(np.nan, np.nan)
        zero = np.zeros(batch)
        return cls(spread.noise, spread.pods, np.inf, np.inf, 0.0, zero, zero, 0.0, zero, 0.0, zero, 0.0, zero, zero)

    @classmethod
    def shape(cls, metric: Gauge) -> Shape:
        """One test, whose mixture has a formula."""
        return Shape(promote=(1, 1))

    def new_step(self, metric: Gauge) -> Self:
        """Promotion's blocks begin anew."""
        zero = np.zeros_like(self.canary)
        return replace(self, step_blocks=0.0, step_total=zero, ticks=0.0, canary=zero, stable=zero)

    def bets(
        self, metric: Gauge, canary: Sample, stable: Sample, excess: Floats, unit: Floats | None
    ) -> Asked[Bets | None]:
        """By how much the e-values of the rollout's and of the step's blocks change when this tick completes one."""
        after = self.remember(metric, canary, stable, bake=False)
        rollback = after._log_worse(metric) - self._log_worse(metric)
        promote = after._log_fine(metric) - self._log_fine(metric)
        shape = (*np.shape(self.canary), 1)
        bets = Bets(rollback.reshape(*shape, 1), promote.reshape(*shape, 1), np.ones(shape))
        return Asked.known(bets)

    def bake_bets(self, metric: Gauge, canary: Sample, excess: Floats) -> Floats:
        """None: without a stable arm there is nothing to compare with."""
        return np.zeros((*np.shape(self.canary), 1, 1))

    def interval_unit(self, metric: Gauge) -> Floats:
        """Not used: the interval follows from the blocks."""
        return np.ones((*np.shape(self.canary), 1))

    def remember(self, metric: Gauge, canary: Sample | None, stable: Sample | None, *, bake: bool) -> Self:
        """Means of both arms; a tick in which one has none, or one that is not positive, is left out."""
        if canary is None or stable is None or bake:
            return self
        one, other = of_kind(Values, canary, metric).values, of_kind(Values, stable, metric).values
        if not one.shape[-1] or not other.shape[-1] or (one <= 0).any() or (other <= 0).any():
            return self
        of_canary, of_stable = one.mean(axis=-1), other.mean(axis=-1)
        seen = replace(
            self,
            canary_pods=float(min(self.canary_pods, one.shape[-1])),
            stable_pods=float(min(self.stable_pods, other.shape[-1])),
            ticks=self.ticks + 1,
            canary=self.canary + of_canary,
            stable=self.stable + of_stable,
            block_ticks=self.block_ticks + 1,
            block_canary=self.block_canary + of_canary,
            block_stable=self.block_stable + of_stable,
        )
        return seen._with_block() if seen.block_ticks >= BLOCK else seen

    def requests(self) -> tuple[Floats, Floats]:
        """None: a gauge counts no requests."""
        nothing = np.zeros(np.shape(self.canary))
        return nothing, nothing

    def within_tolerance(self, metric: Gauge) -> Mask:
        """By the means in this step; not without values of both arms."""
        limit = metric.tolerance.rho * self.stable
        is_within = self.canary >= limit if metric.higher_is_better else self.canary <= limit
        return ((self.canary > 0) & is_within)[..., None]

    def estimates(self, metric: Gauge) -> tuple[Estimate, ...]:
        """The arms' means over the step."""
        canary, stable = (
            Arm(self.ticks, 0.0, float(total / self.ticks) if self.ticks else None)
            for total in (self.canary, self.stable)
        )
        few = min(self.canary_pods, self.stable_pods) < 2
        model = _UNKNOWN if np.isnan(self.noise) else _FEW_PODS if few else _MODEL
        return (Estimate(canary, stable, metric.tested, model=model),)

    def intervals(self, metric: Gauge, log_wealth: Floats, unit: Floats, alpha: float) -> tuple[Interval, ...]:
        """Of the difference of means: a normal mixture's confidence sequence for Δ, times the stable's mean."""
        if not self.step_blocks or np.isnan(self.noise):
            return (Interval(),)
        center, v, scale = float(self.step_total) / self.step_blocks, self._variance(self.step_blocks), _scale(metric)
        width = np.sqrt(v * (v + scale**2) / scale**2 * np.log((v + scale**2) / (v * alpha**2)))
        mean = float(self.stable) / self.ticks
        return (Interval(float(np.expm1(center - width)) * mean, float(np.expm1(center + width)) * mean),)

    def _with_block(self) -> Self:
        difference = np.log(self.block_canary) - np.log(self.block_stable)
        zero = np.zeros_like(self.canary)
        return replace(
            self,
            block_ticks=0.0,
            block_canary=zero,
            block_stable=zero,
            rollout_blocks=self.rollout_blocks + 1,
            rollout_total=self.rollout_total + difference,
            step_blocks=self.step_blocks + 1,
            step_total=self.step_total + difference,
        )

    def _variance(self, blocks: float) -> float:
        """V of the mean of so many blocks."""
        return self.pods * (1 / self.canary_pods + 1 / self.stable_pods) + 2 * self.noise / blocks

    def _log_worse(self, metric: Gauge) -> Floats:
        """Log of the e-value, over the whole rollout, against "within tolerance"."""
        worse = -1 if metric.higher_is_better else 1
        beyond = worse * self.rollout_total / max(self.rollout_blocks, 1) - abs(np.log(metric.tolerance.rho))
        return self._log_mixture(beyond, self.rollout_blocks, _scale(metric))

    def _log_fine(self, metric: Gauge) -> Floats:
        """Log of the e-value, in this step, against "beyond the margin"."""
        worse = -1 if metric.higher_is_better else 1
        within = abs(np.log(metric.margin.rho)) - worse * self.step_total / max(self.step_blocks, 1)
        return self._log_mixture(within, self.step_blocks, _scale(metric))

    def _log_mixture(self, y: Floats, blocks: float, scale: float) -> Floats:
        if not blocks or np.isnan(self.noise):
            return np.zeros(np.shape(self.canary))
        v = self._variance(blocks)
        total = v + scale**2
        z = y * scale / np.sqrt(v * total)
        return np.asarray(np.log(2) + 0.5 * np.log(v / total) + 0.5 * z**2 + log_normal(z))


def spread(values: Floats) -> Spread | None:
    """How a gauge varies in the stable arm, from its history: positive values of shape (ticks, pods).

    The noise is the long-run variance of the arm's mean (Bartlett window, 20 lags), for a block; each variance is taken
    at its upper 90 % bound (χ²). None where there are less than two pods, or less than 80 ticks: nothing could be said.
    """
    ticks, pods = values.shape
    if pods < 2 or ticks < _WINDOWS_NEEDED * LAGS or (values <= 0).any():
        return None
    logs = np.log(values)
    between = float(logs.mean(axis=0).var(ddof=1)) * upper_factor(pods - 1)
    return Spread(noise=long_run_variance(logs.mean(axis=1)) / BLOCK, pods=between)


def _scale(metric: Gauge) -> float:
    """Scale of the mixture over differences beyond the boundary: the boundary's own distance."""
    return max(0.02, float(abs(np.log(metric.tolerance.rho))))

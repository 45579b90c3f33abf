"""Which tolerances would have been quiet at the promised rate: each metric by itself, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from serinus.api import CanaryPolicySpec, Metric, Regression
from serinus.backtest.trial import Trial, alone
from serinus.backtest.window import Window

_SMALLER, _LARGER = (0.5, 0.2, 0.1), (2.0, 5.0, 10.0)  # multiples of the policy's, from the nearest on
_MOST = 0.9  # the share of windows that must be promoted: a tolerance that proves nothing in time is no use
_WIDEST = 0.5  # of a share or a distance: whoever tolerates more need not compare


@dataclass(frozen=True)
class Tried:
    """A tolerance, and what it would have come to."""

    tolerance: Regression
    margin: Regression
    trial: Trial
    is_quiet: bool
    """Rolled back, for this metric, in no larger a share of the windows than the policy promises."""
    is_decisive: bool
    """Promoted in nine of ten windows."""


@dataclass(frozen=True)
class Proposal:
    """What was tried of a metric, the smallest tolerance first; `own` is the policy's."""

    metric: Metric
    tried: tuple[Tried, ...]
    own: Tried
    proposed: Tried | None
    """What to write instead; None where the policy's is as good as any that was tried."""


def propose(
    policy: CanaryPolicySpec, metric: Metric, windows: Sequence[Window], tell: Callable[[Regression], None]
) -> Proposal:
    """A metric's tolerance, loosened until it is quiet, or tightened as long as it is quiet and decisive (R25).

    `tell` is called with each tolerance before it is tried.
    """

    def attempt(factor: float) -> Tried:
        variant = resized(metric, factor)
        tell(variant.tolerance)
        trial = Trial.of(alone(policy, variant), windows)
        own, promoted = trial.blamed_on(metric.name), trial.promoted
        return Tried(
            variant.tolerance,
            variant.effective_margin,
            trial,
            is_quiet=own.count <= policy.false_rollback * own.of,
            is_decisive=promoted.count >= _MOST * promoted.of,
        )

    own = attempt(1.0)
    tried, proposed = [own], None
    if not own.is_quiet:
        for factor in _LARGER:
            if not _compares(resized(metric, factor)):
                break
            tried.append(attempt(factor))
            if tried[-1].is_quiet:
                proposed = tried[-1]
                break
    elif own.is_decisive and not metric.tolerance.is_zero:
        for factor in _SMALLER:
            tried.insert(0, attempt(factor))
            if not (tried[0].is_quiet and tried[0].is_decisive):
                break
            proposed = tried[0]
    return Proposal(metric, tuple(tried), own, proposed)


def resized(metric: Metric, factor: float) -> Metric:
    """The metric with a tolerance so many times as large; one of 0 becomes so many times the margin.

    A margin that the policy gives stays, unless the tolerance outgrows it.
    """
    if factor == 1.0:
        return metric
    base = metric.effective_margin if metric.tolerance.is_zero else metric.tolerance
    tolerance = base.times(factor)
    margin = metric.margin if metric.margin is None or metric.margin.covers(tolerance) else tolerance
    return metric.model_copy(update={"tolerance": tolerance, "margin": margin})


def _compares(metric: Metric) -> bool:
    """Whether the tolerance leaves something that would be too much."""
    size = metric.tolerance
    loses = size.relative if metric.effective_better == "higher" else None
    return max(size.absolute or 0.0, size.total_variation or 0.0, loses or 0.0) <= _WIDEST

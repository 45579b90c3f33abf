"""How much the stable arm's counts vary beyond chance: what two halves of its pods show of that before the rollout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from serinus.judge.dispersion import excess
from serinus.judge.evidence import Classes, Counts, Histogram, Sample, Spread, Values
from serinus.judge.kinds.gauge import spread
from serinus.metrics.arms import Side
from serinus.metrics.desk import Desk, Question
from serinus.metrics.errors import SourceError
from serinus.metrics.slot import Slot

_MOST_PODS = 100  # that are looked at: their names go into a query
_CLASSES = 6  # the most frequent ones, each of which is looked at


@dataclass(frozen=True, slots=True)
class PodNumbers:
    """How many pods there are in both halves that were compared, and in either arm that will be."""

    compared: int
    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Pods:
    """The stable's pods in two halves, by the label `instance`, and the canary's number of pods."""

    half_a: tuple[str, ...]
    half_b: tuple[str, ...]
    canary: int

    @property
    def numbers(self) -> PodNumbers:
        """Those of the stable that are looked at are all of its pods."""
        stable = len(self.half_a) + len(self.half_b)
        return PodNumbers(compared=stable, canary=self.canary, stable=stable)


async def pods_of(desk: Desk, question: Question, at: float) -> Pods | None:
    """The pods that count for a question at Unix time `at`; None where fewer than two of the stable's can be seen."""
    try:
        stable, canary = [await _instances(desk, question, side, at) for side in ("stable", "canary")]
    except SourceError:
        return None
    looked_at = stable[:_MOST_PODS]
    if len(looked_at) < 2:
        return None
    # A canary that has served nobody shows no pods; one pod is the least that it will have.
    return Pods(tuple(looked_at[0::2]), tuple(looked_at[1::2]), max(1, len(canary)))


def clustering(
    half_a: Sequence[Sample], half_b: Sequence[Sample], whole: Sample, quantiles: Sequence[float], pods: PodNumbers
) -> tuple[float, ...]:
    """τ² of each of a metric's rows, from the samples of both halves in the same ticks; empty where it has none.

    `whole`: the stable's sample of all the time. A latency has a row for each of `quantiles`: the share slower than it.
    Of a distribution it is that of the most clustered of its frequent classes.
    """
    values = [
        excess(
            _counts(half_a, event),
            _counts(half_b, event),
            pods=pods.compared,
            canary_pods=pods.canary,
            stable_pods=pods.stable,
        )
        for event in _events(whole, quantiles)
    ]
    return (max(values),) if isinstance(whole, Classes) and values else tuple(values)


def spread_of(samples: Sequence[Sample]) -> Spread | None:
    """How a gauge varies between pods and in time, from its values in the ticks in which all pods had one."""
    arrays = [sample.values for sample in samples if isinstance(sample, Values) and sample.values.size]
    if not arrays:
        return None
    pods = max(array.size for array in arrays)
    return spread(np.array([array for array in arrays if array.size == pods]))


Event = Callable[[Sample], Counts]


def _events(whole: Sample, quantiles: Sequence[float]) -> list[Event]:
    """What counts as an event, for each row; of a distribution for each of the frequent classes."""
    match whole:
        case Counts():
            return [lambda sample: sample if isinstance(sample, Counts) else Counts()]
        case Histogram(bounds, cumulative) if cumulative[-1] > 0:
            reached = [int(np.searchsorted(cumulative, quantile * cumulative[-1])) for quantile in quantiles]
            return [partial(_slower, bound=bounds[min(index, len(bounds) - 1)]) for index in reached]
        case Classes(names, counts):
            frequent = np.argsort(-counts, kind="stable")[:_CLASSES]
            return [partial(_in_class, name=names[index]) for index in frequent]
    return []


def _slower(sample: Sample, bound: float) -> Counts:
    if not isinstance(sample, Histogram) or bound not in sample.bounds:
        return Counts()
    total = float(sample.cumulative[-1])
    return Counts(total, total - float(sample.cumulative[sample.bounds.index(bound)]))


def _in_class(sample: Sample, name: str) -> Counts:
    if not isinstance(sample, Classes):
        return Counts()
    own = float(sample.counts[sample.names.index(name)]) if name in sample.names else 0.0
    return Counts(float(sample.n), own)


def _counts(samples: Sequence[Sample], event: Event) -> Counts:
    found = [event(sample) for sample in samples]
    return Counts(np.array([each.n for each in found]), np.array([each.x for each in found]))


async def pods_within(desk: Desk, question: Question, slot: Slot) -> tuple[str, ...]:
    """The stable's pods that counted for a question at any time of a slot; empty where pods are not what reports.

    Raises SourceError.
    """
    selector = question.series_of("stable")
    if selector is None:
        return ()
    counted = f"last_over_time({selector.promql()}[{slot.seconds * 1000:.0f}ms])"
    answer = await desk.prometheus.query(f"count by (instance) ({counted})", slot.end)
    return tuple(sorted(row.labels.get("instance", "") for row in answer.rows())[:_MOST_PODS])


async def _instances(desk: Desk, question: Question, side: Side, at: float) -> list[str]:
    selector = question.series_of(side)
    if selector is None:
        return []
    answer = await desk.prometheus.query(f"count by (instance) ({selector.promql()})", at)
    return sorted(row.labels.get("instance", "") for row in answer.rows())

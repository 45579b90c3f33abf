"""What is missing in a tick, by name, and what to do about it (I3)."""

from dataclasses import dataclass

from serinus.judge.evidence import Missing
from serinus.metrics.arms import SIDES, Side
from serinus.metrics.reading import Counted, Reading
from serinus.metrics.samples import Samples
from serinus.metrics.slot import Slot

_IMPLAUSIBLE = 0.001  # an empty arm is "no traffic" when chance explains it less often than this
_WHOLE = 100

ADVICE = {
    Missing.NO_TRAFFIC: "Do requests reach this arm, and are its labels in Prometheus those of the query?",
    Missing.NO_SERIES: "Is the metric's name right, is it scraped, and do its labels read as the query says?",
    Missing.STALE: "Is the target scraped, and at least as often as spec.interval?",
    Missing.RESET: "A counter began anew: did a pod restart in place?",
    Missing.UNREACHABLE: "Is the address right, and may Serinus read from there?",
    Missing.PARTIAL: "One such tick is normal when a pod is new; if it lasts, look at the targets of this query.",
    Missing.UNATTRIBUTED: "Requests failed before they reached a workload: has each subset endpoints that are ready?",
}
"""What to look at first."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a metric's evidence in one tick, for people.

    `detail`: what was seen instead. `query`: what was asked, to be pasted into Prometheus. `lasting`: the query has
    returned nothing at all since it was first asked, for two minutes: somebody must look.
    """

    metric: str
    missing: Missing
    detail: str
    query: str
    lasting: bool = False

    def __str__(self) -> str:
        told = f"{self.metric}: {self.missing.value}"
        told += f" ({self.detail})" if self.detail else ""
        return f"{told}. {ADVICE[self.missing]} Query: {self.query}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Which kind of data is missing, and what was seen instead."""

    missing: Missing
    detail: str = ""


def finding(
    reading: Reading, samples: Samples, names: tuple[str, ...], *, slot: Slot, weight: int, is_level: bool = False
) -> Finding | None:
    """What is missing in the reading, the worst first; None where nothing is.

    `names`: the parts of the reading that were counted. `weight`: the canary's percentage; an arm that is given no
    traffic need not have any. `is_level`: the numbers are no counters but values, which have no past.
    """
    armed = [side for side in SIDES if _share(side, weight) > 0]
    parts = {(side, name): reading.of(side, name) for side in armed for name in names}
    if not is_level and all(part.is_sound(slot.start) for part in parts.values()):
        return _no_traffic(samples, weight)
    if not any(part.is_known for part in parts.values()):
        return Finding(Missing.NO_SERIES)
    if is_level:
        empty = [side for side in armed if not any(parts[side, name].is_known for name in names)]
        return Finding(Missing.NO_TRAFFIC, f"no values of the {empty[0]}") if empty else None
    return _of_counters(parts, slot) or _no_traffic(samples, weight)


def _of_counters(parts: dict[tuple[Side, str], Counted], slot: Slot) -> Finding | None:
    for (side, name), part in parts.items():
        if part.is_known and (part.scraped is None or part.scraped <= slot.start):
            return Finding(Missing.STALE, f"no new {name} of the {side} since the last tick")
    for (side, name), part in parts.items():
        if part.resets:
            return Finding(Missing.RESET, f"{part.resets:g} series of the {side}'s {name}")
    for (side, name), part in parts.items():
        if part.baselines:
            detail = f"{part.baselines:g} series of the {side}'s {name} are new, and since when they count is not known"
            return Finding(Missing.PARTIAL, detail)
    return None


def _no_traffic(samples: Samples, weight: int) -> Finding | None:
    """Whether an arm is emptier than the weight explains: requests are split independently."""
    total = samples.canary_requests + samples.stable_requests
    for side, own in (("canary", samples.canary_requests), ("stable", samples.stable_requests)):
        share = _share(side, weight)
        if own == 0 and share > 0 and (total == 0 or (1 - share) ** total < _IMPLAUSIBLE):
            return Finding(Missing.NO_TRAFFIC, f"none of {total:g} requests was the {side}'s")
    return None


def _share(side: str, weight: int) -> float:
    """The side's share of the traffic, as intended."""
    return weight / _WHOLE if side == "canary" else 1 - weight / _WHOLE

"""The stable over a stretch of time, read tick by tick: the same increments as the operator's, in few queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from serinus.judge.evidence import Missing, Sample
from serinus.metrics.catch_up import catch_up
from serinus.metrics.collect import Collected, Inquiry, collect
from serinus.metrics.desk import Desk
from serinus.metrics.doubts import Doubt
from serinus.metrics.silence import Silence
from serinus.metrics.slot import Slot
from serinus.metrics.sums import added

_UNCOUNTED = frozenset({Missing.NO_SERIES, Missing.UNREACHABLE, Missing.PARTIAL})
"""What a tick that was not counted is missing. What a stale one did not see the next one has."""

POINTS = 480
"""The points that a range query has at most: two hours of the usual 15 s."""


@dataclass(frozen=True, slots=True)
class Total:
    """What is known of a metric in a stretch.

    `sample`: the stable's, of all the ticks that were counted; None where none was. `seconds`: how long these are
    together. `doubt`: the most frequent one of the other ticks; None where there are none.
    """

    sample: Sample | None
    seconds: float
    doubt: Doubt | None = None


async def read_stretch(desk: Desk, asked: Sequence[Inquiry], slots: Sequence[Slot]) -> tuple[Collected, ...]:
    """What is known of the stable in each of `slots`, which follow each other and are equally long.

    Nothing is asked of the canary. Never raises for what a server does: doubts say it.
    """
    questions, silence = list(dict.fromkeys(each.question for each in asked)), Silence()
    seen: list[Collected] = []
    for first in range(0, len(slots), POINTS):
        some = slots[first : first + POINTS]
        reader = await catch_up(desk, questions, some)
        seen += [await collect(reader, asked, slot, weight=0, silence=silence) for slot in some]
    return tuple(seen)


async def read_totals(desk: Desk, asked: Sequence[Inquiry], slots: Sequence[Slot]) -> Mapping[str, Total]:
    """The same as one total for each that is asked about, by name."""
    seen = await read_stretch(desk, asked, slots)
    return {each.name: _total(each.name, seen, slots[0].seconds) for each in asked}


def _total(name: str, seen: Sequence[Collected], seconds: float) -> Total:
    evidence = [each.evidence[name] for each in seen]
    samples = [each.stable for each in evidence if each.missing not in _UNCOUNTED and each.stable is not None]
    doubts = [each for one in seen for each in one.doubts if each.metric == name and each.missing in _UNCOUNTED]
    worst = Counter(each.missing for each in doubts).most_common(1)
    doubt = next((each for each in doubts if each.missing is worst[0][0]), None)
    return Total(reduce(added, samples, None), len(samples) * seconds, doubt)

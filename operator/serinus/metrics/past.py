"""What the stable arm was like before the rollout: it makes the first bets good, and says how counts cluster."""

from collections.abc import Mapping, Sequence
from functools import reduce

from serinus.judge.evidence import Past, Sample
from serinus.metrics.catch_up import catch_up
from serinus.metrics.clustering import clustering, pods_of, spread_of
from serinus.metrics.collect import Inquiry
from serinus.metrics.desk import Desk, Question
from serinus.metrics.reach import Reach, reach
from serinus.metrics.samples import SampleError
from serinus.metrics.slot import Slot
from serinus.metrics.sums import added

_TICKS = 480  # two hours of the usual 15 s: the points that a range query of the past has at most


async def history(desk: Desk, asked: Sequence[Inquiry], before: float, interval: float) -> Mapping[str, Past]:
    """The stable arm's past of each metric, and of GUARD, in the 480 slots of `interval` seconds before Unix time
    `before`; nothing of a metric whose past cannot be read.

    Where the stable's pods can be told apart, also how much its counts vary beyond chance.
    """
    slots = _slots(before, interval)
    by_question: dict[Question, list[Inquiry]] = {}
    for inquiry in asked:
        by_question.setdefault(inquiry.question, []).append(inquiry)
    pasts: dict[str, Past] = {}
    for question, inquiries in by_question.items():
        whole = await _samples(desk, question, inquiries, slots)
        pods = await pods_of(desk, question, before)
        halves = []
        if pods is not None:
            for half in (pods.half_a, pods.half_b):
                halves.append(await _samples(desk, question.of_pods(half), inquiries, slots))
        for inquiry in inquiries:
            samples = [sample for sample in whole[inquiry.name] if sample is not None]
            stable: Sample | None = reduce(added, samples, None)
            excess: tuple[float, ...] = ()
            if pods is not None and stable is not None:
                pairs = zip(*(half[inquiry.name] for half in halves), strict=True)
                both = [(a, b) for a, b in pairs if a is not None and b is not None]
                excess = clustering([a for a, _ in both], [b for _, b in both], stable, inquiry.quantiles, pods.numbers)
            pasts[inquiry.name] = Past(stable=stable, excess=excess, spread=spread_of(samples))
    return pasts


async def past_reach(desk: Desk, requests: Inquiry, before: float, interval: float) -> Reach:
    """Where the service's requests went in the 480 slots before; `requests` is the guard's inquiry."""
    slots = _slots(before, interval)
    readings = (await catch_up(desk, [requests.question], slots)).readings
    return sum((reach(reading) for reading in readings.values()), Reach())


def _slots(before: float, interval: float) -> list[Slot]:
    return [Slot(before - number * interval, before - (number - 1) * interval) for number in range(_TICKS, 0, -1)]


async def _samples(
    desk: Desk, question: Question, inquiries: Sequence[Inquiry], slots: Sequence[Slot]
) -> dict[str, list[Sample | None]]:
    """The stable's samples of each tick, by inquiry; None for a tick of which nothing is known."""
    readings = (await catch_up(desk, [question], slots)).readings
    found: dict[str, list[Sample | None]] = {inquiry.name: [] for inquiry in inquiries}
    for inquiry in inquiries:
        for slot in slots:
            reading = readings.get((question, slot))
            try:
                sample = inquiry.sample(reading, 0).stable if reading is not None else None
            except SampleError:
                sample = None
            found[inquiry.name].append(sample)
    return found

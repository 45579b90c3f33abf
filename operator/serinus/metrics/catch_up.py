"""Many ticks at once: after a gap, and of the past before a rollout, with one range query for each question."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from serinus.metrics.desk import Answer, Desk, Question, Reader
from serinus.metrics.errors import SourceError
from serinus.metrics.reading import Reading
from serinus.metrics.slot import Slot


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Reads what was fetched beforehand, and asks for the rest."""

    desk: Reader
    readings: Mapping[tuple[Question, Slot], Reading]

    async def read_all(self, questions: Collection[Question], slot: Slot) -> Mapping[Question, Answer]:
        """What came of each."""
        known: dict[Question, Answer] = {
            question: self.readings[question, slot] for question in questions if (question, slot) in self.readings
        }
        others = [question for question in questions if question not in known]
        return {**known, **(await self.desk.read_all(others, slot) if others else {})}


async def catch_up(desk: Desk, questions: Sequence[Question], slots: Sequence[Slot]) -> CaughtUp:
    """Whoever answers about `slots`, which follow each other and are equally long, with one query for each question.

    The answers are the same as those to a query per tick: it is the same query, evaluated at the same times. What the
    server does not answer this way is asked tick by tick when its turn comes.
    """
    readings: dict[tuple[Question, Slot], Reading] = {}
    first, last = slots[0], slots[-1]
    for question in questions:
        promql = question.promql(first.seconds)
        try:
            rows = await desk.prometheus.query_range(promql, first.end, last.end, first.seconds)
        except SourceError:
            continue
        readings |= {(question, slot): question.read(rows.get(slot.end, ())) for slot in slots}
    return CaughtUp(desk, readings)

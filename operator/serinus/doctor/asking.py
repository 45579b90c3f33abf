"""What Prometheus is asked before a rollout: each metric's own question, once, about the minutes before."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from serinus.doctor.evidence import Answer, Look
from serinus.judge import GUARD
from serinus.metrics import Desk, Inquiry, Prometheus, Silence, Slot, collect
from serinus.metrics.arms import Side
from serinus.metrics.custom_question import CustomQuestion
from serinus.metrics.desk import Answer as Answered
from serinus.metrics.desk import Question
from serinus.metrics.reading import Reading

_SECONDS = 600.0
_EARLIER = 60.0  # seconds before them, of which it is asked whether the stable was there already


async def look_at(prometheus: Prometheus, asked: Sequence[Inquiry], end: float) -> Look:
    """The answers about the ten minutes before Unix time `end`; what a server does wrong is in their doubts.

    `asked` begins with the guard's. Each question is one query; whether all ten minutes were counted is one more.
    """
    desk = Desk(prometheus)  # of its own: in one that others use, whoever began lately would be asked for again
    start = end - _SECONDS
    slot, requests = Slot(start, end), asked[0]
    answers, earlier = await asyncio.gather(
        desk.read_all(list(dict.fromkeys(each.question for each in asked)), slot),
        desk.read_all([requests.question], Slot(start - _EARLIER, start)),
    )
    # Before a rollout the canary has no traffic that counts: weight 0 asks for none.
    seen = await collect(_Given(answers), asked, slot, weight=0, silence=Silence())
    doubts = {doubt.metric: doubt for doubt in seen.doubts}
    told = []
    for each in asked:
        # Of Istio's own metrics the canary has series only with traffic.
        is_own = isinstance(each.question, CustomQuestion) and each.name not in doubts
        canary = _knows("canary", each, answers) if is_own else None
        told.append(Answer(each.name, seen.evidence[each.name].stable, doubts.get(each.name), canary))
    is_whole = GUARD not in doubts and _knows("stable", requests, earlier)
    return Look(_SECONDS, tuple(told), is_whole)


@dataclass(frozen=True, slots=True)
class _Given:
    """Answers with what has been answered already."""

    answers: Mapping[Question, Answered]

    async def read_all(self, questions: Collection[Question], slot: Slot) -> Mapping[Question, Answered]:
        """What came of each."""
        return {question: self.answers[question] for question in questions}


def _knows(side: Side, asked: Inquiry, answers: Mapping[Question, Answered]) -> bool:
    """Whether there are series of all that is counted of that arm."""
    answer = answers[asked.question]
    return isinstance(answer, Reading) and all(answer.of(side, name).is_known for name in asked.names)

"""Where questions to one server meet: those of one shape and one tick share a query.

So queries grow with templates, not with canaries. Whoever asks first in a tick asks for all who asked the same in the
tick before; the others find the answer. They are asked plainly first, and those for whom that cannot be exact, because
a series began or was reset, once more together. A shared query is bounded, and where the server refuses it or its
answer is too large, each asks for itself, and the next shared query is smaller.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from serinus.metrics.answers import Value
from serinus.metrics.custom_question import CustomQuestion
from serinus.metrics.errors import SourceError, TooMuch
from serinus.metrics.istio import NAMED, IstioQuestion, Shape, shared_promql
from serinus.metrics.places import Layout, Places
from serinus.metrics.reading import Reading
from serinus.metrics.silence import Silence
from serinus.metrics.slot import Slot
from serinus.metrics.source import Prometheus

Question = IstioQuestion | CustomQuestion

Answer = Reading | SourceError
"""What came of a question."""

_TOGETHER = 2000  # services in one query
_FEW = 25  # services in a query that is not too slow for its size, but for its server
_GATHERING = 0.02  # seconds in which others who ask the same may join
_SHARED = 3  # shared queries under way: more would only slow each other down, and one that waits takes in others
_LAPSE = 3  # slots after which somebody who no longer asks is no longer asked for
_KEPT = 3  # ticks whose answers are kept for those who come late


class Reader(Protocol):
    """Whoever answers questions about a tick."""

    async def read_all(self, questions: Collection[Question], slot: Slot) -> Mapping[Question, Answer]:
        """What came of each."""


Asked = asyncio.Task[Callable[[Any], Reading]]
"""A query under way, or its answer: what each of the questions that share it is told."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The answer to a shared query: its numbers alone, for they are kept for some ticks and most are read once."""

    layout: Layout
    values: Sequence[Value]

    def reading(self, question: IstioQuestion) -> Reading:
        """A question's own part of it."""
        return question.read_shared(self.layout, self.values)


@dataclass(slots=True)
class _Table:
    """Questions of one shape about ticks of one length and phase."""

    places: Places
    together: int = _TOGETHER
    most: int = _TOGETHER
    """What `together` may grow to again."""
    asked: dict[IstioQuestion, float] = field(default_factory=dict)
    """Who asks here, and about which tick last (its end), or is expected to ask about the next."""
    answers: dict[float, dict[IstioQuestion, Asked]] = field(default_factory=dict)
    """By the end of the tick."""
    gathering: dict[float, list[IstioQuestion]] = field(default_factory=dict)
    """By the end of the tick: who is in the query that will be sent in a moment."""

    def join(self, question: IstioQuestion, slot: Slot) -> bool:
        """Take a place in the query that will be sent in a moment, if there is one with places left."""
        company = self.gathering.get(slot.end)
        if company is None or len(company) >= self.together:
            return False
        told = self.answers[slot.end]
        told[question] = told[company[0]]
        company.append(question)
        return True

    def company(self, question: IstioQuestion, slot: Slot) -> list[IstioQuestion]:
        """The question, and others that will soon be asked about the same tick."""
        told = self.answers.setdefault(slot.end, {})
        others = (
            other
            for other, end in self.asked.items()
            if other != question and other not in told and slot.end - _LAPSE * slot.seconds <= end < slot.end
        )
        return [question, *(other for other, _ in zip(others, range(self.together - 1), strict=False))]

    def shrink(self, size: int, *, refused: bool) -> None:
        """After a query for so many was too much (`refused`), or was not answered in time, which it may have been."""
        if size > NAMED:
            self.most = min(self.most, NAMED)
        if refused:
            self.most = max(1, min(self.most, size // 2))
        elif size > _FEW:
            self.together = max(_FEW, min(self.together, size // 4))
        self.together = min(self.together, self.most)

    def tidy(self, slot: Slot) -> None:
        """Forget who has not asked for long, and old answers."""
        # Of those who catch up the tick is old from the start: as long as others may join, its answers stay.
        for end in sorted(self.answers.keys() - self.gathering.keys())[:-_KEPT]:
            del self.answers[end]
        oldest = slot.end - 10 * _LAPSE * slot.seconds
        for question in [question for question, end in self.asked.items() if end < oldest]:
            del self.asked[question]


class _Tables(dict[Shape, _Table]):
    """Questions about ticks of one length and phase, by their shape."""

    def __missing__(self, shape: Shape) -> _Table:
        table = self[shape] = _Table(Places(shape.place))
        return table


class Desk:
    """Asks one server, and lets those who ask the same share the answer."""

    def __init__(self, prometheus: Prometheus) -> None:
        self.prometheus = prometheus
        self.silence = Silence()
        self.scrape_duration = 0.0
        """The longest that a scrape took when somebody last looked, in seconds: samples may come that late."""
        self._tables: defaultdict[tuple[float, float], _Tables] = defaultdict(_Tables)
        """By the length and phase of the ticks."""
        self._turns = asyncio.Semaphore(_SHARED)

    @property
    def behind(self) -> float:
        """By how many seconds the server's clock is behind ours; see Prometheus."""
        return self.prometheus.behind

    def expects(self, questions: Iterable[Question], slot: Slot) -> bool:
        """Whether these were expected to be asked about the tick; from now on they are, and its query has them, too."""
        were_expected, tables = True, self._tables_of(slot)
        for question in questions:
            if isinstance(question, IstioQuestion) and question not in (asked := tables[question.shape].asked):
                asked[question] = slot.start
                were_expected = False
        return were_expected

    async def read(self, question: Question, slot: Slot) -> Reading:
        """The answer about one tick. Raises SourceError."""
        answer = (await self.read_all([question], slot))[question]
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def read_all(self, questions: Collection[Question], slot: Slot) -> Mapping[Question, Answer]:
        """What came of each question about one tick; all are asked at the same time."""
        tables = self._tables_of(slot)
        answers = await _answers({question: self._ask(question, slot, tables) for question in questions})
        refused = [question for question, answer in answers.items() if _may_do_alone(question, answer)]
        if refused:
            answers |= await _answers({question: self._ask_alone(question, slot) for question in refused})
        return answers

    def _ask(self, question: Question, slot: Slot, tables: _Tables) -> Asked:
        if isinstance(question, CustomQuestion):
            return self._ask_alone(question, slot)
        table = tables[question.shape]
        told = table.answers.setdefault(slot.end, {})
        if question not in told and not table.join(question, slot):
            company = table.gathering[slot.end] = table.company(question, slot)
            told.update(dict.fromkeys(company, _sent(self._together(table, company, slot))))
            table.tidy(slot)
        table.asked[question] = max(slot.end, table.asked.get(question, 0.0))
        return told[question]

    def _ask_alone(self, question: Question, slot: Slot) -> Asked:
        return _sent(self._alone(question, slot))

    def _tables_of(self, slot: Slot) -> _Tables:
        return self._tables[slot.seconds, slot.phase]

    async def _alone(self, question: Question, slot: Slot) -> Callable[[Any], Reading]:
        answer = await self.prometheus.query(question.promql(slot.seconds), slot.end)
        reading = question.read(answer.rows())
        return lambda _: reading

    async def _together(self, table: _Table, company: list[IstioQuestion], slot: Slot) -> Callable[[Any], Reading]:
        await asyncio.sleep(_GATHERING)
        async with self._turns:
            if table.gathering.get(slot.end) is company:
                del table.gathering[slot.end]
            try:
                plain = await self._shared(table, company, slot, plain_at=slot.phase)
                changed = [question for question in company if not question.is_exact_in(plain.layout, plain.values)]
                exact = await self._shared(table, changed, slot) if changed else plain
            except SourceError as error:
                table.shrink(len(company), refused=isinstance(error, TooMuch))
                raise
        table.together = min(table.most, max(table.together, 2 * len(company)))
        again = dict.fromkeys(changed, exact)
        return lambda question: again.get(question, plain).reading(question)

    async def _shared(
        self, table: _Table, company: Sequence[IstioQuestion], slot: Slot, *, plain_at: float | None = None
    ) -> _Told:
        answer = await self.prometheus.query(shared_promql(company, slot.seconds, plain_at=plain_at), slot.end)
        return _Told(*table.places.layout(answer, slot.end))


def _sent(query: Coroutine[None, None, Callable[[Any], Reading]]) -> Asked:
    asked = asyncio.create_task(query)
    asked.add_done_callback(_looked_at)
    return asked


def _looked_at(asked: Asked) -> None:
    """Whoever asked may be gone by now; an error that nobody awaits is no news."""
    if not asked.cancelled():
        asked.exception()


async def _answers(asked: Mapping[Question, Asked]) -> dict[Question, Answer]:
    """What came of each."""
    if under_way := [task for task in asked.values() if not task.done()]:
        # To wait, where to await would do, is what lets the others have the answer when this canary gives up.
        await asyncio.wait(under_way)
    return {question: _answer(question, task) for question, task in asked.items()}


def _answer(question: Question, asked: Asked) -> Answer:
    error = asked.exception()
    return error if isinstance(error, SourceError) else asked.result()(question)


def _may_do_alone(question: Question, answer: Answer) -> bool:
    """Whether it was too much in company."""
    return isinstance(answer, TooMuch) and isinstance(question, IstioQuestion)

"""Ticks that wait to be judged, of many canaries: those of one kin are judged at once."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from serinus.controller.pace import Pace
from serinus.judge import Case, Policy, Settled, kin, settle_together

_AT_ONCE = 32  # of more each would cost hardly less, and the event loop look at its sockets later


@dataclass(frozen=True, slots=True)
class _Waiting:
    policy: Policy
    case: Case
    answer: asyncio.Future[Settled]

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.answer.done()


class Batches:
    """Judges what has come while it was judging, or in one pass of the event loop: hundreds wait for one answer."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._waiting: dict[Hashable, list[_Waiting]] = {}
        self._work: asyncio.Task[None] | None = None

    async def settle(self, policy: Policy, case: Case) -> Settled:
        """What comes of the case. Raises what the judge raises on it."""
        answer: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        group = kin(policy, case) or object()
        self._waiting.setdefault(group, []).append(_Waiting(policy, case, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._settle_all())
        return await answer

    async def _settle_all(self) -> None:
        try:
            while self._waiting:
                await self._pace.place()
                group = next(iter(self._waiting))
                waiting = self._waiting.pop(group)
                if len(waiting) > _AT_ONCE:
                    self._waiting[group] = waiting[_AT_ONCE:]  # behind the others
                _settle([each for each in waiting[:_AT_ONCE] if not each.is_given_up])
        finally:
            self._work = None


def _settle(waiting: Sequence[_Waiting]) -> None:
    if not waiting:
        return
    try:
        settled = settle_together(waiting[0].policy, [each.case for each in waiting])
    except Exception as error:
        if len(waiting) == 1:
            waiting[0].answer.set_exception(error)
        else:
            # What is wrong with one is none of the others' business.
            for each in waiting:
                _settle([each])
        return
    for each, found in zip(waiting, settled, strict=True):
        each.answer.set_result(found)

"""What Prometheus says of a rollout that begins, asked beside the reconciles: advice, for which nothing waits.

It has connections of its own, so that a server that hangs over it keeps no tick waiting. What is under way when the
operator ends is lost and not asked again: after a restart the server has the ticks of all rollouts to answer, and these
name what is missing, too.
"""

from collections.abc import Callable, Sequence
from functools import partial

from serinus.api import RolloutStatus
from serinus.controller.beginning import EvidenceLook
from serinus.controller.cache import Key
from serinus.controller.desks import Desks
from serinus.controller.errands import Errands
from serinus.controller.gather import read_arms
from serinus.controller.kube import Kube
from serinus.controller.settings import Settings
from serinus.metrics import Inquiry, QueryError, inquiries
from serinus.rollout import Live, Obstacle, Plan

_AT_ONCE = 4  # looks: many rollouts may begin at once, and the ticks of the others are what matters


class FirstEvidence:
    """One for all objects."""

    def __init__(self, settings: Settings, kube: Kube, look: EvidenceLook, wake: Callable[[Key], None]) -> None:
        self._settings = settings
        self._look = look
        self._desks = Desks(settings, kube)
        self._errands: Errands[Sequence[str]] = Errands(wake, _AT_ONCE)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._errands.close()
        await self._desks.close()

    def start(self, key: Key, rollout: RolloutStatus, plan: Plan, live: Live, now: float) -> None:
        """Have a rollout looked at that begins at Unix time `now`."""
        try:
            arms = read_arms(plan, key[0], live, self._settings.reporter, self._settings.fence)
            asked = inquiries(plan.policy, arms)
        except (Obstacle, QueryError):
            return  # which the ticks meet as well: the condition Stalled tells it
        self._errands.start(key, rollout.id, partial(self._ask, key[0], plan, asked, now))

    def has_found(self, key: Key) -> bool:
        """Whether a look has ended since the last turn."""
        return self._errands.has_results(key)

    def found(self, key: Key, rollout: RolloutStatus) -> Sequence[str]:
        """What was found of the rollout since the last turn, a line each."""
        return self._errands.results(key).get(rollout.id, ())

    async def _ask(self, namespace: str, plan: Plan, asked: Sequence[Inquiry], now: float) -> Sequence[str]:
        try:
            desk = await self._desks.desk(plan, namespace)
        except Obstacle:
            return ()  # as above
        return await self._look(plan, asked, desk.prometheus, now)

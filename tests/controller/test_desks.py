"""One desk for each server and Secret, however many canaries begin at once."""

import asyncio
from datetime import timedelta
from typing import cast

from serinus.api import Prometheus as PrometheusSpec
from serinus.controller.desks import Desks
from serinus.controller.kube import Kube
from serinus.controller.settings import Settings
from serinus.rollout import Timing
from tests.rollout.conftest import subject

SETTINGS = Settings(prometheus="http://127.0.0.1:9", timing=Timing(timedelta(0), timedelta(0)))


class Slow:
    """An API server that answers about a Secret once two have asked."""

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)

    async def read_secret(self, _namespace: str, _name: str) -> dict[str, bytes]:
        await self._both.wait()
        return {"token": b"open-sesame"}


async def test_those_who_come_while_its_secret_is_read_share_the_desk() -> None:
    named = PrometheusSpec.model_validate({"secretRef": {"name": "prom"}})
    plan = subject().plan.model_copy(update={"prometheus": named})
    desks = Desks(SETTINGS, cast(Kube, Slow()))
    one, other = await asyncio.gather(desks.desk(plan, "ml"), desks.desk(plan, "ml"))
    assert one is other
    await desks.close()

"""The operator that is the only one, because it was told of no leases: it acts for everything, from the beginning."""

import asyncio

from serinus.controller.leases.holder import Work
from serinus.controller.tenure import Tenure


class Alone:
    """In the place of a Holder where there is nothing to hold."""

    is_known = True
    shards = (0,)

    def __init__(self, work: Work) -> None:
        self._work = work
        self._tenure = Tenure.endless()

    def tenure_of(self, uid: str) -> Tenure:
        """Under which an object may be written: always."""
        return self._tenure

    async def run(self) -> None:
        """Begin, and then nothing more until cancelled."""
        self._work.begin(0)
        await asyncio.Event().wait()

    async def release(self) -> None:
        """Nothing is held."""

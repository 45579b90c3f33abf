"""Whatever else waits for the event loop waits for one heavy piece of work, not for all that are ready."""

import asyncio
from itertools import pairwise

from serinus.controller.pace import Pace


async def test_between_two_pieces_of_work_the_loop_sees_to_everything_else() -> None:
    pace, done = Pace(), 0
    at_each_pass: list[int] = []

    async def work() -> None:
        nonlocal done
        await pace.place()
        done += 1

    working = [asyncio.create_task(work()) for _ in range(20)]
    while done < len(working):
        at_each_pass.append(done)
        await asyncio.sleep(0)
    assert max(after - before for before, after in pairwise(at_each_pass)) == 1

"""One heavy piece of work at a time, so that between any two of them the event loop looks at its sockets and timers."""

import asyncio


class Pace:
    """Hundreds wait for one answer of Prometheus, and would go on in one pass of the loop when it is there.

    Whoever waits for something else meanwhile, be it the next piece of an answer, would wait for all of them: the
    answer to a large query, which takes a dozen passes, would come too late.
    """

    def __init__(self) -> None:
        self._one_by_one = asyncio.Lock()

    async def place(self) -> None:
        """Return when it is one's turn to work."""
        async with self._one_by_one:
            await asyncio.sleep(0)

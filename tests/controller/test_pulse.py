"""The pulse: that something waits for long is no trouble, that nothing at all moves is."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from serinus.controller.cache import Key
from serinus.controller.pulse import Pulse

KEY = ("ml", "predictor")


class Reconciler:
    """Waits until a test lets it go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    async def reconcile(self, key: Key) -> float | None:
        if key == KEY:
            await self.goes_on.wait()
        return None

    def forget(self, key: Key) -> None:
        pass

    def is_behind(self, key: Key) -> bool:
        return False


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def hang(clock: Clock) -> AsyncIterator[tuple[Pulse, Callable[[], None]]]:
    reconciler = Reconciler()
    pulse = Pulse(reconciler, clock)
    hanging = asyncio.create_task(pulse.reconcile(KEY))
    await asyncio.sleep(0)
    yield pulse, reconciler.goes_on.set
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


def test_an_operator_that_has_nothing_to_do_lives(clock: Clock) -> None:
    pulse = Pulse(Reconciler(), clock)
    clock.now = 1e6
    assert pulse.trouble is None


async def test_one_that_hangs_is_in_trouble_until_something_moves(
    hang: tuple[Pulse, Callable[[], None]], clock: Clock
) -> None:
    pulse, go_on = hang
    clock.now = 100.0
    assert pulse.trouble is None
    clock.now = 200.0
    assert pulse.trouble == "1 reconciles are under way, and none has come to its end for 200 s"
    go_on()
    await asyncio.sleep(0.01)
    assert pulse.trouble is None


async def test_one_object_that_hangs_does_not_condemn_the_others(
    hang: tuple[Pulse, Callable[[], None]], clock: Clock
) -> None:
    pulse, _ = hang
    clock.now = 170.0
    await pulse.reconcile(("ml", "other"))
    clock.now = 300.0
    assert pulse.trouble is None

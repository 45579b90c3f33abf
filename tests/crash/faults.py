"""Faults at every write of a rollout, one run for each; and kills at random moments."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.crash.cluster import Release, agree, steps
from tests.crash.conftest import Stage
from tests.crash.operators import Operator, await_true
from tests.crash.proxy import Fate, Proxy

AT_ONCE = 8
FEWEST_WRITES = 6
"""That any rollout makes: where fewer faults were met, they were not injected."""
GOOD = [("start", 50), ("promote", 100), ("promoted", 100)]
BAD = [("start", 50), ("rollback", 0)]


def _nothing(_: Release) -> None:
    """No one interferes."""


@dataclass(frozen=True)
class Scenario:
    """A way through a rollout: how good the canary is, what people do, and how it must end.

    `act`: done once the canary has half of the traffic. `end`: the phase of the end; an empty string where the object
    is gone. `steps`: the decisions that must be on record then, each with the weight that it asked for. `writes`: more
    than the operator makes; a point that no run reaches is a run without a fault.
    """

    end: str
    steps: list[tuple[str, int]]
    good: bool = True
    act: Callable[[Release], None] = _nothing
    writes: int = 12
    window: str = "1s"
    """Of the first step: long enough to act in."""
    after_promotion: bool = False
    """Whether the release before has been promoted, without a fault, when people act and the faults begin."""

    def is_over(self, release: Release) -> bool:
        """Whether the rollout has ended and its last decision was seen on the mesh."""
        canary = release.canary()
        status = canary.get("status", {})
        rollout = status.get("rollout", {})
        seen = rollout.get("decision") == rollout.get("observed")
        made = [entry for entry in status.get("history", []) if entry["verdict"] != "hold"]
        all_made = len(made) >= len(self.steps)
        return not canary if not self.end else (status.get("phase") == self.end and seen and all_made)


@dataclass
class Point:
    """Lets every write pass but the one numbered `number`, from 1, which meets `fate`."""

    number: int
    fate: Fate
    seen: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str) -> Fate:
        self.seen.append(f"{method} {path}")
        return self.fate if len(self.seen) == self.number else Fate.PASSES

    @property
    def is_reached(self) -> bool:
        """Whether the fault was met."""
        return len(self.seen) >= self.number


def at_every_write(stage: Stage, scenario: Scenario, fate: Fate) -> None:
    """One rollout for each write, with a fault at that one."""
    points = [Point(number, fate) for number in range(1, scenario.writes + 1)]
    _all_of([_Run(stage, scenario, point) for point in points])
    reached = [point.number for point in points if point.is_reached]
    assert len(reached) >= FEWEST_WRITES, f"the faults were not injected: {reached}"


@dataclass(frozen=True)
class _Run:
    """One rollout with a fault at one point; after a kill, a fresh operator brings it to its end."""

    stage: Stage
    scenario: Scenario
    point: Point

    def __call__(self) -> None:
        release, over = self.stage.release(good=self.scenario.good), self.scenario.is_over
        release.create(ladder=[{"weight": 50, "window": self.scenario.window}, {"weight": 100, "window": "0s"}])
        if self.scenario.after_promotion:
            self._promote(release)
        operators: list[Operator] = []
        with Proxy(self.stage.api_url, self.point, lambda: [operator.kill() for operator in operators]) as proxy:
            operators.append(self.stage.operator(release, through=proxy.url))
            await_true(lambda: _began(release) or not operators[0].is_alive(), f"{self.point}: the first step")
            if not operators[0].is_alive():
                operators.append(self.stage.operator(release))
                await_true(lambda: _began(release), f"{self.point}: the first step")
            self.scenario.act(release)
            await_true(lambda: over(release) or not operators[-1].is_alive(), f"{self.point}: the end, or the kill")
            if not operators[-1].is_alive():
                operators.append(self.stage.operator(release))
            await_true(lambda: over(release), f"{self.point}: {self.scenario.end or 'to be gone'}")
            for operator in operators:
                operator.end()
        if not self.scenario.end:
            assert release.weight() == 0, f"{self.point}: I7"
            return
        agree(release, self.stage.log(release))
        assert steps(release) == self.scenario.steps, f"{self.point}"

    def _promote(self, release: Release) -> None:
        operator = self.stage.operator(release)
        await_true(lambda: release.phase() == "Promoted", f"{self.point}: the promotion before")
        operator.end()


def _began(release: Release) -> bool:
    """Whether the first step has been decided."""
    return bool(release.canary().get("status", {}).get("history"))


def killed_at_random(stage: Stage, kills: int, seed: int) -> None:
    """Operators of one release after another are killed after random times, until so many have been."""
    chance = random.Random(seed)
    pauses = [chance.uniform(0.2, 4.0) for _ in range(kills)]
    lock = threading.Lock()
    promotion = Scenario(end="Promoted", steps=GOOD)

    def until_it_ends() -> None:
        release = stage.release()
        release.create()
        while not promotion.is_over(release):
            with lock:
                pause = pauses.pop() if pauses else None
            operator = stage.operator(release)
            if pause is None:
                await_true(lambda: promotion.is_over(release), "the promotion")
            else:
                time.sleep(pause)
            operator.end()
        agree(release, stage.log(release))
        assert steps(release) == GOOD

    while pauses:
        _all_of([until_it_ends] * AT_ONCE)


def _all_of(tasks: list[Callable[[], None]]) -> None:
    """Run the tasks, a few at a time; the first that failed is raised."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()

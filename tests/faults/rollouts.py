"""Rollouts that stand on their first step while something goes wrong, and what must be true of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from tests.crash.cluster import Release, steps
from tests.crash.conftest import Stage
from tests.crash.operators import Operator, await_true

TICK = timedelta(seconds=5)
RECOVERY = 2 * TICK.total_seconds() + 1 + 10
"""Seconds: two ticks, the time until a tick's samples are there, and what a busy machine needs for the work itself."""
STANDING = {
    "ladder": [{"weight": 50, "window": "1h"}, {"weight": 100, "window": "0s"}],
    "interval": "5s",
    "reportEvery": "5s",
}
"""A spec: the first step lasts longer than any test."""
STARTED = [("start", 50)]


@contextmanager
def standing(
    stage: Stage,
    *,
    through: str | None = None,
    prometheus: str | None = None,
    first: Callable[[], None] | None = None,
    traffic: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[tuple[Release, Operator]]:
    """A release of which a tick of the first step has been judged, and its operator; see Stage.operator.

    `traffic`: what its spec.traffic says besides.
    """
    release = stage.release()
    release.create(**STANDING, traffic=release.traffic() | traffic)
    operator = stage.operator(release, through, prometheus, first)
    try:
        await_true(lambda: judged_until(release), "the first tick")
        yield release, operator
    finally:
        operator.end()


@contextmanager
def untouched(release: Release) -> Iterator[None]:
    """Whatever happens within: nobody writes a weight, and nothing is decided."""
    generation, decided = release.service()["metadata"]["generation"], steps(release)
    yield
    assert release.service()["metadata"]["generation"] == generation, "somebody wrote the VirtualService"
    assert steps(release) == decided


def await_recovery(release: Release) -> None:
    """The fault is over: within two ticks evidence is judged again, and what people said meanwhile is heard."""
    over = datetime.now(UTC)

    def is_well() -> bool:
        return (
            over <= (judged_until(release) or over - TICK) <= datetime.now(UTC)
            and condition(release, "MetricsAvailable")[0] == "True"
            and release.phase() == "Paused"
        )

    await_true(is_well, "the evidence after the fault, and the pause", RECOVERY)


def pause(release: Release) -> None:
    """What people say while the fault lasts."""
    release.edit({"paused": True})


def judged_until(release: Release) -> datetime | None:
    """The end of the newest tick that has been judged."""
    told = release.canary().get("status", {}).get("rollout", {}).get("judgedUntil")
    return datetime.fromisoformat(told) if told else None


def condition(release: Release, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition; empty where there is none yet."""
    for found in release.canary().get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return found["status"], found["reason"], found.get("message", "")
    return "", "", ""


def await_condition(release: Release, kind: str, status: str, reason: str, timeout: float = 60.0) -> str:
    """Wait until a condition says so; its message."""
    await_true(
        lambda: condition(release, kind)[:2] == (status, reason),
        f"{release.namespace}: {kind} to be {status} for {reason}, and not {condition(release, kind)}",
        timeout,
    )
    return condition(release, kind)[2]

"""What goes wrong around an operator, one function each: what it must keep meanwhile, and how soon it is well again."""

import time
from datetime import timedelta

from tests.crash.cluster import Release, agree, steps
from tests.crash.conftest import Stage
from tests.crash.faults import GOOD
from tests.crash.operators import await_true
from tests.crash.proxy import Fate, Proxy
from tests.faults.again import again_and_again
from tests.faults.clock import Clock
from tests.faults.line import Line
from tests.faults.rollouts import RECOVERY, TICK, await_condition, await_recovery, pause, standing, untouched
from tests.faults.stutter import stuttering

_GONE = 35.0
_SILENCE = 90.0
"""Seconds until a watch that tells nothing is opened anew."""
_SEVERAL_TICKS = 3 * TICK.total_seconds()


def api_server_is_gone_for_half_a_minute(stage: Stage) -> None:
    with Line(stage.api_url) as line, standing(stage, through=line.url) as (release, operator), untouched(release):
        line.cut()
        pause(release)
        time.sleep(_GONE)
        assert operator.is_alive()
        line.mend()
        await_recovery(release)


def watch_is_silently_dead(stage: Stage) -> None:
    with Line(stage.api_url) as line, standing(stage, through=line.url) as (release, _), untouched(release):
        line.fall_silent()
        pause(release)
        await_true(lambda: release.phase() == "Paused", "the pause to be heard", _SILENCE + RECOVERY)


def prometheus_is_away(stage: Stage) -> None:
    with Line(stage.prometheus) as line, standing(stage, prometheus=line.url) as (release, _), untouched(release):
        line.cut()
        pause(release)
        await_condition(release, "MetricsAvailable", "False", "PrometheusUnreachable")
        time.sleep(_SEVERAL_TICKS)
        line.mend()
        await_recovery(release)


def clock_is_set_an_hour_forward(stage: Stage) -> None:
    _set_the_clock(stage, timedelta(hours=1))


def clock_is_set_an_hour_back(stage: Stage) -> None:
    _set_the_clock(stage, timedelta(hours=-1))


def _set_the_clock(stage: Stage, ahead: timedelta) -> None:
    clock = Clock()
    with standing(stage, first=clock.bend) as (release, _), untouched(release):
        clock.set(ahead)
        pause(release)
        await_true(lambda: release.phase() == "Paused", "the pause")
        time.sleep(_SEVERAL_TICKS)
        clock.set(timedelta())
        await_recovery(release)


def others_write_every_tenth_of_a_second(stage: Stage) -> None:
    """Somebody is quicker at every second write of the operator, and writes ten times a second besides."""
    release = stage.release()
    release.create()
    writes = 0

    def quicker(method: str, path: str) -> Fate:
        nonlocal writes
        writes += 1
        if writes % 2:
            _annotate(release)
        return Fate.PASSES

    with Proxy(stage.api_url, quicker, lambda: None) as proxy, again_and_again(lambda: _annotate(release)):
        operator = stage.operator(release, through=proxy.url)
        await_true(lambda: _is_promoted(release), "the promotion")
        operator.end()
    agree(release, stage.log(release))
    assert steps(release) == GOOD
    assert "reading it again" in stage.log(release).read_text(), "nothing ever collided"


def etcd_is_slow(stage: Stage) -> None:
    """The store answers nobody four fifths of the time."""
    release = stage.release()
    with stuttering(stage.etcd):
        release.create()
        operator = stage.operator(release)
        await_true(lambda: _is_promoted(release), "the promotion")
    operator.end()
    agree(release, stage.log(release))
    assert steps(release) == GOOD


def _is_promoted(release: Release) -> bool:
    """Whether it is, and that has been seen on the mesh."""
    rollout = release.canary().get("status", {}).get("rollout", {})
    return release.phase() == "Promoted" and rollout["decision"] == rollout["observed"]


def _annotate(release: Release) -> None:
    for kind in ("canarydeployments", "virtualservices"):
        release.merge(kind, {"metadata": {"annotations": {"example.com/now": str(time.monotonic_ns())}}})

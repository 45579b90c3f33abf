"""What an operator sees of the cluster is not what is: an old view, or one that lacks what happened in between (I4)."""

import time
from collections.abc import Callable

from tests.crash.cluster import Release, agree, steps
from tests.crash.conftest import Stage
from tests.crash.faults import BAD, GOOD
from tests.crash.operators import await_true
from tests.crash.proxy import Fate, Proxy
from tests.faults.line import Line
from tests.faults.rollouts import RECOVERY, STANDING, STARTED, await_condition, judged_until, standing, untouched

_LOOKS = 3.0
"""Seconds that an operator gets with an old view: several of its ticks."""


def an_old_view_repeats_no_step(stage: Stage) -> None:
    """Promoted meanwhile; the view is that of the first step, whose evidence is good."""
    release = stage.release()
    release.create()
    seen = _recorded(stage, release, lambda: _stands_at(release, 50), "the first step")
    assert steps(release) == GOOD
    _with_an_old_view(stage, release, seen, lambda: release.weigh(70), lambda: release.weight() == 100)
    agree(release, stage.log(release))
    assert [step for step in steps(release) if step[0] != "repair"] == GOOD


def an_old_view_rolls_no_later_release_back(stage: Stage) -> None:
    """The canary was bad, the view is that of its first step; what stands there now is its successor."""
    release = stage.release(good=False)
    release.create()
    seen = _recorded(stage, release, lambda: _stands_at(release, 50), "the first step")
    assert steps(release) == BAD
    release.edit(STANDING | {"canary": {"subset": "canary", "labels": {"version": "v3"}}})
    _play(stage, release, lambda: _stands_at(release, 50) and judged_until(release), "the successor's first step")
    _with_an_old_view(stage, release, seen, lambda: release.weigh(70), lambda: release.weight() == 50)


def an_old_view_finishes_no_decision_of_an_earlier_rollout(stage: Stage) -> None:
    """The view is that between a promotion's intent and its weights; the next release stands there now."""
    release = stage.release()
    release.create()
    seen = ""

    def look(method: str, path: str) -> Fate:
        nonlocal seen
        status = release.canary().get("status", {})
        if "virtualservices" in path and status.get("weight") == 100 and not seen:
            seen = release.canary()["metadata"]["resourceVersion"]
        return Fate.PASSES

    with Proxy(stage.api_url, look, lambda: None) as proxy:
        _play(stage, release, lambda: release.phase() == "Promoted", "the promotion", through=proxy.url)
    assert seen
    after = {"stable": {"subset": "stable", "labels": {"version": "v2"}}}
    release.edit(STANDING | after | {"canary": {"subset": "canary", "labels": {"version": "v3"}}})
    _play(stage, release, lambda: _stands_at(release, 50) and judged_until(release), "the next one's first step")
    _with_an_old_view(stage, release, seen, lambda: release.weigh(70), lambda: release.weight() == 50)


def what_happened_in_between_is_not_needed(stage: Stage) -> None:
    """Paused and resumed, the VirtualService replaced: only the last of it is ever seen."""
    with Line(stage.api_url) as line, standing(stage, through=line.url) as (release, _):
        line.hold_back()
        release.edit({"paused": True})
        release.edit({"paused": False})
        release.replace_service(weight=30)
        line.look_up()
        await_true(lambda: release.weight() == 50, "the repair", RECOVERY)
        await_true(lambda: _stands_at(release, 50), "the repair to be seen")
        assert steps(release) == [*STARTED, ("repair", 50)]
        assert release.phase() == "Progressing"
        agree(release, stage.log(release))


def an_object_of_the_same_name_is_another_one(stage: Stage) -> None:
    """Deleted by force and created again, and the operator sees only that it has changed."""
    with Line(stage.api_url) as line, standing(stage, through=line.url) as (release, _):
        before = release.canary()["metadata"]["uid"]
        line.hold_back()
        release.recreate(STANDING)
        line.look_up()
        await_true(lambda: _stands_at(release, 50), "the new one's first step")
        assert release.canary()["metadata"]["uid"] != before
        assert steps(release) == [("prepare", 0), *STARTED]


def _stands_at(release: Release, weight: int) -> bool:
    """Whether the status has seen this weight on the mesh, and it is still there."""
    status = release.canary().get("status", {})
    rollout = status.get("rollout", {})
    seen = rollout.get("decision") and rollout.get("decision") == rollout.get("observed")
    return bool(seen) and status.get("weight") == weight == release.weight()


def _recorded(stage: Stage, release: Release, moment: Callable[[], object], what: str) -> str:
    """The revision of the store at a moment of a rollout that is then played to its end."""
    operator = stage.operator(release)
    await_true(moment, what)
    seen = str(release.canary()["metadata"]["resourceVersion"])
    await_true(
        lambda: release.phase() in ("Promoted", "RolledBack") and _stands_at(release, release.weight()), "the end"
    )
    operator.end()
    return seen


def _play(stage: Stage, release: Release, until: Callable[[], object], what: str, through: str | None = None) -> None:
    operator = stage.operator(release, through)
    await_true(until, what)
    operator.end()


def _with_an_old_view(
    stage: Stage, release: Release, seen: str, disturb: Callable[[], None], is_mended: Callable[[], bool]
) -> None:
    """An operator that starts with an old view writes nothing; once it sees what is, it is as good as any other."""
    with Line(stage.api_url) as line:
        line.look_back(seen)
        with untouched(release):
            operator = stage.operator(release, line.url)
            written = len(stage.log(release).read_text())
            await_true(lambda: "reading it again" in stage.log(release).read_text()[written:], "a write to be refused")
            time.sleep(_LOOKS)
            line.look_up()
        disturb()
        await_true(is_mended, "the repair, by who sees what is", 60)
        await_condition(release, "TrafficAligned", "True", "AsDecided")
        operator.end()

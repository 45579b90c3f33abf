"""A rollout whose spec is changed under way, again and again: each change is followed or refused, by name (I1, I9)."""

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

from kubernetes import client

from tests.crash.cluster import Release, records
from tests.crash.conftest import Stage
from tests.crash.operators import await_true
from tests.faults.rollouts import STANDING, condition
from tests.faults.schema import Change, changes, spec_schema
from tests.faults.witness import never_rose_without_a_record, witnessed

_POLICY = {"metrics": [{"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}]}
_SEED = 6
_PARTS = 4

Combined = Sequence[Change]
"""Changes that are made at the same time."""


def in_parts(play: Callable[[slice], None]) -> None:
    """Several rollouts side by side, each with its part of the changes: most of the time they wait."""
    with ThreadPoolExecutor(_PARTS) as pool:
        for done in [pool.submit(play, slice(number, None, _PARTS)) for number in range(_PARTS)]:
            done.result()


def one_by_one(stage: Stage, part: slice) -> None:
    """All changes of a single field that belong to this part."""
    release = _release(stage)
    _play(stage, release, [[each] for each in _changes(release)][part])


def in_pairs(stage: Stage, count: int, part: slice) -> None:
    """Of so many pairs of changes of different fields, drawn at random, those of this part."""
    release = _release(stage)
    found = [pair for pair in combinations(_changes(release), 2) if pair[0].path[0] != pair[1].path[0]]
    _play(stage, release, random.Random(_SEED).sample(found, count)[part])


def _release(stage: Stage) -> Release:
    release = stage.release()
    release.create(**STANDING, policy=_POLICY)
    return release


def _changes(release: Release) -> list[Change]:
    return list(changes(spec_schema(), release.spec()))


def _play(stage: Stage, release: Release, tried: Iterable[Combined]) -> None:
    spec, log = release.spec(), stage.log(release)
    operator = stage.operator(release)
    await_true(lambda: release.weight() == 50, "the first step")
    taken = 0
    with witnessed(release) as weights:
        for combined in tried:
            if _is_taken(release, spec, combined):
                taken += 1
                _await_heard(release, combined)
                assert operator.is_alive(), _told(combined)
                assert "Traceback" not in log.read_text(), _told(combined)
        # Whatever was copied into the last of these rollouts holds for it: another release goes by the spec as it was.
        release.respecify({**spec, "revision": "the end"})
        assert taken, "no change was accepted by the API server"
        await_true(lambda: release.weight() == 50 and release.phase() == "Progressing", "the rollout to go on")
        never_rose_without_a_record(weights, records(log))
    operator.end()


def _is_taken(release: Release, spec: dict[str, Any], combined: Combined) -> bool:
    """Whether the API server accepts the changes; what it refuses changes nothing."""
    for change in combined:
        spec = change.applied_to(spec)
    try:
        release.respecify(spec)
    except client.ApiException as error:
        assert error.status == 422, f"{_told(combined)}: {error.body}"
        return False
    return True


def _await_heard(release: Release, combined: Combined) -> None:
    """The status speaks of this generation, and where the spec is no good the condition says why."""

    def is_heard() -> bool:
        canary = release.canary()
        return canary.get("status", {}).get("observedGeneration") == canary["metadata"]["generation"]

    await_true(is_heard, f"{release.namespace}: {_told(combined)}")
    stalled, reason, message = condition(release, "Stalled")
    assert stalled == "False" or (reason and message), _told(combined)


def _told(combined: Combined) -> str:
    return "; ".join(map(str, combined))

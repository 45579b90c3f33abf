"""Statuses in the cache: small, and the same when they are read."""

import json
from datetime import UTC, datetime

from bench.scale.standing import progressing
from serinus.api import CanaryDeploymentStatus
from serinus.controller.cache import Cache, Object
from serinus.controller.statuses import read_status, status_of

STANDING = progressing(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()).status


def owner(status: object) -> Object:
    metadata = {"namespace": "shop", "name": "checkout", "uid": "1", "resourceVersion": "1"}
    return {"metadata": metadata, **({"status": status} if status is not None else {})}


def kept(status: object) -> Object:
    cache = Cache()
    cache.put("canarydeployments", owner(status))
    found = cache.get("canarydeployments", ("shop", "checkout"))
    assert found is not None
    return found


def test_a_status_is_read_as_it_was_written() -> None:
    written = json.loads(STANDING.model_dump_json(by_alias=True))
    assert status_of(kept(written)) == written
    assert read_status(kept(written)) == STANDING


def test_an_object_that_no_operator_has_seen_has_an_empty_status() -> None:
    for nothing in (None, {}):
        assert status_of(kept(nothing)) == {}
        assert read_status(kept(nothing)) == CanaryDeploymentStatus()


def test_a_status_with_twenty_summaries_and_a_comparison_takes_less_than_half_of_its_text() -> None:
    text = STANDING.model_dump_json(by_alias=True)
    assert len(kept(json.loads(text))["status"]) < len(text) / 2

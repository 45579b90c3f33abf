"""The cache: the newest known version of each object, without what no reconcile reads."""

from typing import Any

from serinus.controller.cache import Cache

KEY = ("ml", "predictor")


def seen(version: str, uid: str = "u1", **more: Any) -> dict[str, Any]:
    metadata = {"namespace": "ml", "name": "predictor", "uid": uid, "resourceVersion": version}
    return {"metadata": metadata, **more}


def test_an_older_version_never_replaces_a_newer_one() -> None:
    """The answer to our own write comes before the watch repeats what was there before."""
    cache = Cache()
    cache.put("destinationrules", seen("10", spec="new"))
    cache.put("destinationrules", seen("9", spec="old"))
    assert (cache.get("destinationrules", KEY) or {})["spec"] == "new"


def test_an_object_made_anew_replaces_the_one_before() -> None:
    cache = Cache()
    cache.put("destinationrules", seen("10", spec="before"))
    cache.put("destinationrules", seen("9", uid="u2", spec="anew"))
    assert (cache.get("destinationrules", KEY) or {})["spec"] == "anew"


def test_what_no_reconcile_reads_is_not_kept() -> None:
    cache = Cache()
    entry = seen("1")
    entry["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    cache.put("destinationrules", entry)
    assert "managedFields" not in (cache.get("destinationrules", KEY) or {})["metadata"]


def test_what_has_not_changed_is_not_kept_anew() -> None:
    """Each answer to a write repeats the whole object."""
    cache = Cache()
    cache.put("destinationrules", seen("1", spec={"host": "predictor"}, status={"state": "before"}))
    spec = (cache.get("destinationrules", KEY) or {})["spec"]
    cache.put("destinationrules", seen("2", spec={"host": "predictor"}, status={"state": "after"}))
    kept = cache.get("destinationrules", KEY) or {}
    assert kept == seen("2", spec={"host": "predictor"}, status={"state": "after"})
    assert kept["spec"] is spec


def test_a_deleted_object_is_forgotten() -> None:
    cache = Cache()
    cache.put("canarydeployments", seen("1"))
    cache.drop("canarydeployments", KEY)
    assert cache.get("canarydeployments", KEY) is None
    assert cache.keys("canarydeployments") == []

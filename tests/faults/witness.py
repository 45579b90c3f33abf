"""Somebody who writes down every weight that the canary ever has on the mesh."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from kubernetes import client, watch
from urllib3.exceptions import HTTPError

from tests.crash.cluster import ISTIO, Release

_PLURAL = "virtualservices"
_RAISES = ("start", "promote")


@contextmanager
def witnessed(release: Release) -> Iterator[list[int]]:
    """The canary's weights from now on, each time it changes; the list grows while the `with` lasts."""
    weights = [release.weight()]
    watching, over, missed = watch.Watch(), threading.Event(), threading.Event()

    def write_down() -> None:
        objects = client.CustomObjectsApi(release.api)
        try:
            for event in watching.stream(objects.list_namespaced_custom_object, *ISTIO, release.namespace, _PLURAL):
                weight = int(event["object"]["spec"]["http"][0]["route"][1].get("weight", 0))
                if weight != weights[-1]:
                    weights.append(weight)
        except HTTPError:  # which a watch that is stopped may end with
            if not over.is_set():
                missed.set()

    thread = threading.Thread(target=write_down, daemon=True)
    thread.start()
    yield weights
    over.set()
    watching.stop()
    assert not missed.is_set(), "the witness has not seen it all"


def never_rose_without_a_record(weights: list[int], records: list[dict[str, Any]]) -> None:
    """I1: each rise was decided, by a record that asks for that weight."""
    decided = {record["weightAfter"] for record in records if record["verdict"] in _RAISES}
    rises = {after for before, after in pairwise(weights) if after > before}
    assert rises <= decided, f"{weights}, but decided were {decided}"

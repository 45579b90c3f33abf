"""What these tests stand on: the crash tests' stage, and replicas of `serinus run` that share work by leases."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from lab.stack import Lab
from tests.crash.cluster import Release
from tests.crash.conftest import Stage, stage
from tests.replicas.replica import Replica

_groups = count(1)

__all__ = ["stage"]

Starts = Callable[..., Replica]


@pytest.fixture
def start(istio: Lab, stage: Stage, tmp_path: Path) -> Iterator[Starts]:
    """Starts a replica for some releases; all that one test starts share the same leases."""
    group = f"serinus-system/replicas-{next(_groups)}"
    running: list[Replica] = []

    def started(name: str, *releases: Release, lease_seconds: int = 5, shards: int = 1) -> Replica:
        replica = Replica(
            stage, name, tmp_path, group, releases, options=(f"--lease-seconds={lease_seconds}", f"--shards={shards}")
        )
        running.append(replica)
        return replica

    yield started
    for replica in running:
        replica.end()

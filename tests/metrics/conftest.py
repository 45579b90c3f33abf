"""A real Prometheus for this room's tests, without cluster and mesh."""

from collections.abc import Iterator

import pytest

from lab.stack.alone import Alone, prometheus_alone


@pytest.fixture(scope="session")
def alone() -> Iterator[Alone]:
    """Starts Prometheus servers, which end with the session."""
    with prometheus_alone() as servers:
        yield servers

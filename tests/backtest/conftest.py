"""A real Prometheus with the past of a few services in it."""

from collections.abc import Iterator

import pytest

from lab.stack.alone import prometheus_alone
from tests.backtest.history import EVEN, SINGLE, UNEVEN
from tests.metrics.remote_write import FLAGS, write


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with prometheus_alone() as servers:
        address = servers.start("backtest", "global: {}", [*FLAGS, "--storage.tsdb.retention.time=100y"])
        write(address, [each for past in (EVEN, UNEVEN, SINGLE) for each in past.series()])
        yield address

"""What these tests stand on: the crash tests' stage, and operators that end with their test."""

from collections.abc import Callable, Iterator

import pytest

from tests.crash.cluster import Release
from tests.crash.conftest import Stage, stage
from tests.crash.operators import Operator

__all__ = ["stage"]

Starts = Callable[[Release], Operator]


@pytest.fixture
def start(stage: Stage) -> Iterator[Starts]:
    """Starts an operator for a release."""
    running: list[Operator] = []

    def started(release: Release) -> Operator:
        running.append(stage.operator(release))
        return running[-1]

    yield started
    for operator in running:
        operator.end()

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.evidence import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Processes started here can be interrupted, even where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

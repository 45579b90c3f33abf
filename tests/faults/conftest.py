"""What the fault tests stand on: the crash tests' stage, with a Prometheus of their own, and scenes played on it."""

from collections.abc import Iterator

import pytest

from tests.crash.conftest import Stage, stage
from tests.faults.side_by_side import SideBySide

__all__ = ["stage"]


@pytest.fixture(scope="session")
def played(stage: Stage, request: pytest.FixtureRequest) -> Iterator[SideBySide]:
    """The scenes that this session's tests ask for by a parameter of that name, all of them under way."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    scenes = SideBySide(stage, [call["scene"] for call in calls if "scene" in call])
    yield scenes
    scenes.close()

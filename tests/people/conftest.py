"""What these tests stand on: the crash tests' stage, and people with the permission to override."""

from collections.abc import Iterator

import pytest

from lab.stack import Lab
from tests.crash.conftest import Stage, stage
from tests.people.company import Company

__all__ = ["stage"]


@pytest.fixture
def company(istio: Lab, stage: Stage) -> Iterator[Company]:
    company = Company(istio, stage, stage.release())
    yield company
    company.stop()

"""What these tests stand on: the crash tests' stage."""

from tests.crash.conftest import stage

__all__ = ["stage"]

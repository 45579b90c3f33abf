"""What stands in a rollout's way."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serinus.rollout import Obstacle


@contextmanager
def passed_through() -> Iterator[None]:
    yield


def test_an_obstacle_comes_out_of_a_context_as_it_went_in() -> None:
    """contextlib sets the traceback of what passes through: a frozen exception becomes a TypeError there."""
    with pytest.raises(Obstacle, match="no such route"), passed_through():
        raise Obstacle("RouteNotFound", "no such route")

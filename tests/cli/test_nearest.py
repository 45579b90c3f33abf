"""A name that is not there is answered with those that may have been meant."""

import pytest

from serinus.cli.nearest import did_you_mean


@pytest.mark.parametrize(
    ("name", "there", "told"),
    [
        ("chekout", ["search", "checkout"], "; did you mean checkout?"),
        ("svc-1", ["svc-10", "svc-12", "svc-2", "svc-11", "svc-13"], "; did you mean svc-10 or svc-11 or svc-12?"),
        ("x", ["search", "checkout"], "; there is: checkout, search"),
        ("x", ["a", "b", "c", "d", "e"], "; there is: a, b, c and 2 more"),
        ("x", [], "; there is none"),
    ],
)
def test_those_that_begin_so_then_the_nearest_then_some(name: str, there: list[str], told: str) -> None:
    assert did_you_mean(name, there) == told

"""The long version of the fault tests, in `make torture`: spec changes that are made two at a time."""

from functools import partial

from tests.crash.conftest import Stage
from tests.faults.spec_changes import in_pairs, in_parts

PAIRS = 1200


def test_pairs_of_changes_are_followed_or_refused_I1_I9(stage: Stage) -> None:
    in_parts(partial(in_pairs, stage, PAIRS))

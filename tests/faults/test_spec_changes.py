"""Spec changes generated from the schema, one field after another, in a running rollout (I1, I9).

`make torture` makes two at a time.
"""

from functools import partial

import pytest

from tests.crash.conftest import Stage
from tests.faults.spec_changes import in_parts, one_by_one

pytestmark = pytest.mark.api_server


def test_every_change_of_a_field_is_followed_or_refused_I1_I9(stage: Stage) -> None:
    in_parts(partial(one_by_one, stage))

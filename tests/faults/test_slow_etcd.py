"""A store that answers seldom (I4): after the scenes and not beside them, for it concerns everything that is served."""

import pytest

from tests.crash.conftest import Stage
from tests.faults.faults import etcd_is_slow

pytestmark = pytest.mark.api_server


def test_a_slow_etcd_delays_a_rollout_and_no_more_I4(stage: Stage) -> None:
    etcd_is_slow(stage)

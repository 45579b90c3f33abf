"""How much so many windows say: exact bounds, each right with 95 %."""

import pytest
from scipy.special import bdtr

from serinus.backtest import Share


def test_without_a_rollback_299_windows_show_one_percent() -> None:
    assert Share(0, 299).high < 0.01 < Share(0, 298).high
    assert Share(0, 299).low == 0.0


@pytest.mark.parametrize(("count", "of"), [(1, 12), (3, 24), (17, 24), (160, 168)])
def test_were_it_a_bound_so_few_or_so_many_would_be_seen_in_one_of_twenty(count: int, of: int) -> None:
    share = Share(count, of)
    assert bdtr(count, of, share.high) == pytest.approx(0.05)
    assert 1 - bdtr(count - 1, of, share.low) == pytest.approx(0.05)
    assert share.low < count / of < share.high


def test_all_of_them_is_bounded_by_all() -> None:
    assert (Share(5, 5).high, Share(5, 5).low) == (1.0, pytest.approx(0.05 ** (1 / 5)))

"""Advice that fits a wanted time (R11): each alternative, taken, does."""

from datetime import timedelta

import numpy as np
import pytest

from serinus.planning import Advice, Release, Requests, advise, forecast
from tests.planning.releases import ERRORS, release

SLOW, REQUESTS = release((1, "15m"), (50, "15m")), Requests(20, 0.01)


def advice_for(planned: Release, within: timedelta) -> Advice:
    rng = np.random.default_rng(1)
    return advise(planned, REQUESTS, *forecast(planned, REQUESTS, rng), within, rng)


def most_by(planned: Release) -> timedelta:
    told, _ = forecast(planned, REQUESTS, np.random.default_rng(2))
    assert told.most_by is not None
    return told.most_by


def test_what_fits_needs_no_advice() -> None:
    assert advice_for(release((50, "15m")), timedelta(hours=1)) == Advice(within=timedelta(hours=1), fits=True)


def test_a_higher_first_weight_and_a_wider_margin_do_what_they_promise_R11() -> None:
    within = timedelta(minutes=45)
    told = advice_for(SLOW, within)
    assert not told.fits
    assert [each.change for each in told.alternatives] == [
        "spec.ladder: begin at weight 3",
        "the policy's margin: error-rate {absolute: 0.04}",
    ]
    assert max(each.most_by for each in told.alternatives) <= within
    slack = timedelta(minutes=3)  # of two simulations
    assert most_by(release((3, "15m"), (50, "15m"))) <= within + slack
    wider = {**ERRORS, "margin": {"absolute": 0.04}}
    assert most_by(release((1, "15m"), (50, "15m"), metrics=(wider,))) <= within + slack


def test_windows_that_are_the_whole_of_the_time_may_be_shorter_R11() -> None:
    told = advice_for(release((25, "30m"), (50, "1h")), timedelta(minutes=50))
    assert [each.change for each in told.alternatives] == ["spec.ladder: windows of 15m/30m"]
    assert told.alternatives[0].most_by == pytest.approx(timedelta(minutes=45), abs=timedelta(minutes=2))


def test_where_no_change_alone_does_none_is_named() -> None:
    told = advice_for(release((1, "15m"), (2, "15m"), (3, "15m")), timedelta(minutes=1))
    assert (told.fits, told.alternatives) == (False, ())

"""Summary figures: what the log says of all rollouts together."""

from serinus.log import Entry, figures_of
from tests.log.conftest import START, entries
from tests.rollout.records import Book


def test_ends_are_counted_and_timed(good: list[Entry], bad: list[Entry]) -> None:
    figures = figures_of([*good, *bad])
    assert (figures.rollouts, figures.promoted, figures.rolled_back) == (2, 1, 1)
    assert figures.share_rolled_back == 0.5
    assert figures.seconds_to_promote == 2 * 10 * 15 + 3


def test_the_time_to_a_rollback_counts_from_the_first_bad_tick(bad: list[Entry]) -> None:
    """The first tick was good; the rollback came a second after the last of three that were bad."""
    assert figures_of(bad).seconds_to_roll_back == 2 * 15 + 1


def test_nothing_is_measured_of_an_empty_log() -> None:
    figures = figures_of([])
    assert (figures.rollouts, figures.share_rolled_back, figures.seconds_to_promote) == (0, None, None)


def test_overrides_that_contradicted_the_judge_are_told_with_their_end_R27() -> None:
    book = Book("search", start=START)
    book.take("start", weight=10)
    book.observe(3, canary_errors=0.02)
    book.take("approve", actor="jo", because="release manager agreed", overruled="hold")
    book.take("promote", weight=50, actor="jo", because="the alert is a false one", overruled="hold")
    book.take("rollback", weight=0, actor="kim", because="users call us", overruled="rollback")
    figures = figures_of(entries(*book.records))
    assert figures.overrides == 3
    [contradiction] = figures.contradictions
    assert (contradiction.actor, contradiction.action, contradiction.judge) == ("jo", "promote", "hold")
    assert (contradiction.because, contradiction.end) == ("the alert is a false one", "rolled back")

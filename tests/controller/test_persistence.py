"""When a status is written: decisions at once, evidence seldom, nothing while nothing changes."""

from datetime import UTC, datetime, timedelta

from serinus.api import CanaryDeploymentStatus, Phase, QueryStatus, VerdictStatus
from serinus.controller.persistence import evidence_is_due, says_more, write_is_due
from tests.rollout.conftest import Play

NOW = datetime(2026, 11, 21, tzinfo=UTC)
BEFORE = CanaryDeploymentStatus(phase=Phase.PROGRESSING, weight=10)
VERDICT = VerdictStatus(verdict="hold", reason="Undecided", message="not yet", time=NOW)
QUERIES = (QueryStatus(metric="error-rate", query="another version of us asks otherwise"),)
EVIDENCE = BEFORE.model_copy(update={"verdict": VERDICT, "observed_share": 10.1, "queries": QUERIES})


def due(status: CanaryDeploymentStatus, since: float, report_every: float = 900, *, is_busy: bool = False) -> bool:
    is_evidence_due = evidence_is_due(since_written=since, report_every=report_every, is_busy=is_busy)
    return write_is_due(BEFORE, status, is_evidence_due=is_evidence_due)


def test_a_decision_is_written_at_once() -> None:
    assert due(BEFORE.model_copy(update={"weight": 25}), since=0)


def test_evidence_waits_for_a_minute_or_the_next_report() -> None:
    assert not due(EVIDENCE, since=59)
    assert due(EVIDENCE, since=60)
    assert due(EVIDENCE, since=3, report_every=3)


def test_evidence_waits_longer_where_it_would_queue_with_decisions() -> None:
    assert not due(EVIDENCE, since=299, is_busy=True)
    assert due(EVIDENCE, since=300, is_busy=True)
    assert due(BEFORE.model_copy(update={"weight": 25}), since=0, is_busy=True)


def test_only_more_than_newer_evidence_calls_for_another_turn() -> None:
    assert says_more(BEFORE, BEFORE.model_copy(update={"step": 2}))
    assert not says_more(BEFORE, EVIDENCE)


def test_nothing_is_written_while_nothing_changes() -> None:
    assert not due(BEFORE, since=1e6)


def test_a_status_that_is_read_back_equals_the_one_that_was_written_I4() -> None:
    """Else a write of ours would look like another operator's, and what is remembered would be given up for it."""
    play = Play()
    for verdict in (None, "promote", "hold", "rollback"):
        play.now += timedelta(seconds=45.123456)
        play.turn(verdict)
        play.settle()
        written = play.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert CanaryDeploymentStatus.model_validate(written) == play.status

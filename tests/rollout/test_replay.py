"""Every record replays to the same bytes, from itself alone (I8)."""

from datetime import UTC, datetime

import pytest

from serinus.rollout import Record, judge_again, judgement_on_record
from tests.rollout.records import Book

START = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


@pytest.fixture
def book() -> Book:
    return Book("predictor", start=START)


def again(record: Record) -> Record:
    """The record as it comes back from the log."""
    return Record.model_validate_json(record.line())


def test_a_record_is_judged_again_to_the_same_bytes_I8(book: Book) -> None:
    book.observe(7, canary_errors=0.013)
    record = again(book.take("hold"))
    told, now = judgement_on_record(record), judge_again(record)
    assert told is not None
    assert now is not None
    assert now.canonical() == told.canonical()


def test_a_later_record_starts_from_what_was_known_at_the_one_before_I8(book: Book) -> None:
    book.observe(5, canary_errors=0.02)
    book.take("hold")
    book.observe(5, canary_errors=0.2)
    record = again(book.take("rollback", weight=0))
    told, now = judgement_on_record(record), judge_again(record)
    assert record.evidence is not None
    assert len(record.evidence.ticks) == 5
    assert told is not None
    assert now == told
    assert now.verdict.verdict == "rollback"


def test_evidence_that_was_changed_is_judged_otherwise_I8(book: Book) -> None:
    book.observe(7, canary_errors=0.013)
    record = book.take("hold")
    forged = Record.model_validate_json(record.line().replace('"x":13.0', '"x":200.0'))
    assert judge_again(forged) != judgement_on_record(forged)


def test_a_rollout_held_for_days_has_a_record_of_bounded_size_I8(book: Book) -> None:
    book.observe(500, canary_errors=0.02)
    record = again(book.take("hold"))
    assert record.evidence is not None
    assert 120 <= len(record.evidence.ticks) <= 240
    assert judge_again(record) == judgement_on_record(record)


def test_a_record_without_evidence_has_nothing_to_judge(book: Book) -> None:
    record = book.take("start", weight=10)
    assert judge_again(record) is None
    assert judgement_on_record(record) is None


def test_a_line_has_the_hash_that_the_next_one_names_R26(book: Book) -> None:
    first, second = book.take("start", weight=10), book.take("promoted")
    assert f'"hash":"{first.digest()}"' in first.line()
    assert second.previous_hash == first.digest()
    assert again(first).digest() == first.digest()

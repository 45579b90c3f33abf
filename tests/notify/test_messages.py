"""Messages: short, the same facts in every channel, each kind shown in the documentation as it is (R28, R29)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from serinus.api import CanaryDeploymentStatus, Phase, RecordStatus, VerdictStatus
from serinus.api.outbox import MessageKind, MessageStatus, OutboxStatus
from serinus.notify import report_message
from serinus.notify.deliver import plain_text, webhook_body
from tests.notify.examples import NOW, examples, text

DOCS = Path(__file__).parent.parent.parent / "docs" / "people.md"


def of(kind: str) -> MessageStatus:
    return next(message for message in examples() if message.kind == kind)


@pytest.mark.parametrize("message", examples(), ids=lambda message: message.title[:40])
def test_the_documentation_shows_every_message_as_it_is(message: MessageStatus) -> None:
    assert text(message) in DOCS.read_text()


def test_there_is_an_example_of_every_kind() -> None:
    assert {message.kind for message in examples()} == set(get_args(MessageKind))


def test_a_step_tells_traffic_comparison_and_time_to_the_next_R28() -> None:
    told = text(of("step"))
    assert "rises from 5 % to 25 % of the traffic" in told
    assert "error-rate: 1.00 % against 1.00 %" in told
    assert "not before 14:40 UTC" in told
    assert "waits for an approval" in told


def test_a_rollback_tells_the_whole_comparison_the_author_and_the_record_R29() -> None:
    told = text(of("rolledBack"))
    assert "error-rate: 6.10 % against 1.00 %" in told
    assert "success: 93.90 % against 99.00 %" in told
    assert "author: jo@example.com" in told
    assert "record: predictor-0a1b2c3d/2" in told


def test_an_override_tells_who_and_why_R27() -> None:
    told = text(of("override"))
    assert "kim overrides: approve" in told
    assert "kim says: checked with the call centre" in told


def test_the_ends_of_a_rollout_are_urgent_and_nothing_else_is() -> None:
    assert {message.kind for message in examples() if message.urgent} == {"promoted", "rolledBack", "ended"}


def held(since: datetime, **fields: Any) -> CanaryDeploymentStatus:
    record = RecordStatus(
        id="r/1", time=since, actor="serinus", verdict="hold", reason="U", weight_before=5, weight_after=5, hash="0"
    )
    verdict = VerdictStatus(verdict="hold", reason="Undecided", message="not yet shown to be within", time=since)
    given = {"phase": Phase.HOLDING, "weight": 5, "history": (record,), "verdict": verdict} | fields
    return CanaryDeploymentStatus().model_copy(update=given)


def test_a_held_step_is_reported_in_the_rhythm_that_the_spec_says_R07() -> None:
    every, since = timedelta(minutes=15), NOW
    assert report_message("ml", "predictor", held(since), every, since + timedelta(minutes=14)) is None
    now = since + every
    report = report_message("ml", "predictor", held(since), every, now)
    assert report is not None
    assert report.title == "ml/predictor: still held at 5 % of the traffic (Undecided)"
    told = held(since, outbox=OutboxStatus(reported_at=now))
    assert report_message("ml", "predictor", told, every, now + timedelta(minutes=14)) is None
    assert report_message("ml", "predictor", told, every, now + every) is not None


@pytest.mark.parametrize("phase", [Phase.PROGRESSING, Phase.PAUSED, Phase.PROMOTED, Phase.ROLLED_BACK])
def test_only_a_held_step_is_reported_R07(phase: Phase) -> None:
    status = held(NOW, phase=phase)
    assert report_message("ml", "predictor", status, timedelta(minutes=1), NOW + timedelta(hours=1)) is None


def test_every_channel_gets_the_same_facts() -> None:
    for message in examples():
        title, body = plain_text([message])
        assert f"{title}\n{body}" == text(message)
        for line in text(message).splitlines():
            assert line.replace('"', '\\"') in webhook_body([message]).decode()

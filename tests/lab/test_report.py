"""What a demonstration leaves behind is complete, and says what was missed."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.demo.figures import Figure, missed
from lab.demo.load import LoadSnapshot
from lab.demo.release import Release
from lab.demo.report import Report, RolloutReport, records_of, rollout_report
from lab.demo.timeline import Timeline, timeline
from lab.demo.watch import Sightings, StateSeen
from serinus.api.status import CanaryDeploymentStatus, Phase, RecordStatus, RolloutStatus

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def record(id: str) -> RecordStatus:
    return RecordStatus(
        id=id, time=NOW, actor="serinus", verdict="start", reason="WarmedUp", weight_before=0, weight_after=10, hash="h"
    )


def ended(phase: Phase) -> Timeline:
    rollout = RolloutStatus(id="p-2", started_at=NOW, release="", policy_hash="", snapshot="c2VjcmV0")
    status = CanaryDeploymentStatus(phase=phase, rollout=rollout, history=(record("p-1/1"), record("p-2/2")))
    states = (StateSeen(0.0, "v2", CanaryDeploymentStatus()), StateSeen(1.0, "v2", status))
    read = timeline(Release("predictor", "v1", "v2"), Sightings((), states), LoadSnapshot(0.0, 2.0))
    assert read is not None
    return read


LOG = (
    "watching CanaryDeployments",
    '{"serinus":"record","rollout":"p-1","id":"p-1/1"}',
    '{"serinus":"record","rollout":"p-2","id":"p-2/2","message":"warmed up"}',
    '{"serinus":"record","rollout":"p-2","id":"p-2/3"',
    '{"message":"about p-2"}',
)


def test_the_records_of_a_rollout_are_found_among_other_lines() -> None:
    assert [record["id"] for record in records_of("p-2", LOG)] == ["p-2/2"]


def test_a_rollout_is_reported_with_its_own_records_only() -> None:
    report = rollout_report(Phase.PROMOTED, ended(Phase.PROMOTED), LOG)
    assert [record.id for record in report.history] == ["p-2/2"]
    assert [record["id"] for record in report.records] == ["p-2/2"]


@pytest.mark.parametrize("phase", [Phase.ROLLED_BACK, Phase.FAILED])
def test_a_rollout_that_ends_otherwise_fails_the_demonstration(phase: Phase) -> None:
    good = rollout_report(Phase.PROMOTED, ended(Phase.PROMOTED), LOG)
    other = rollout_report(Phase.PROMOTED, ended(phase), LOG)
    assert Report(NOW, (good, good), ()).passed
    assert not Report(NOW, (good, other), ()).passed


def test_the_file_holds_records_and_figures_but_nothing_that_only_the_operator_reads(tmp_path: Path) -> None:
    rollout = rollout_report(Phase.PROMOTED, ended(Phase.PROMOTED), LOG)
    path = tmp_path / "demo.json"
    Report(NOW, (rollout,), (Figure("failed", 30, "", at_most=25), Figure("start-up", 20.0, "s"))).write(path)
    text = path.read_text()
    written = json.loads(text)
    assert written["passed"] is True
    assert written["missed"] == ["failed"]
    assert written["figures"][0] == {
        "name": "failed", "value": 30, "unit": "", "at_most": 25, "at_least": None, "kept": False
    }  # fmt: skip
    assert written["rollouts"][0]["records"] == [json.loads(LOG[2])]
    assert written["rollouts"][0]["history"][0]["weightAfter"] == 10
    assert "c2VjcmV0" not in text


def test_people_are_told_how_each_rollout_ended_and_why() -> None:
    rollout = rollout_report(Phase.ROLLED_BACK, ended(Phase.PROMOTED), LOG)
    text = "\n".join(Report(NOW, (rollout,), ()).lines())
    assert "predictor v1 → v2: Promoted, EXPECTED RolledBack" in text
    assert "0 → 10 %  start: WarmedUp: warmed up" in text


def test_a_rollout_that_the_operator_never_took_notice_of_has_no_record() -> None:
    untouched = timeline(
        Release("predictor", "v1", "v2"),
        Sightings((), (StateSeen(0.0, "v2", CanaryDeploymentStatus()),)),
        LoadSnapshot(0.0, 2.0),
    )
    assert untouched is not None
    assert rollout_report(Phase.PROMOTED, untouched, LOG) == RolloutReport(Phase.PROMOTED, untouched, (), ())


@pytest.mark.parametrize(
    ("figure", "kept"),
    [
        (Figure("f", 6.0, "s", at_most=6), True),
        (Figure("f", 6.01, "s", at_most=6), False),
        (Figure("f", 150.0, "per s", at_least=150), True),
        (Figure("f", 149.0, "per s", at_least=150), False),
        (Figure("f", None, "s", at_most=6), False),
        (Figure("f", None, "s"), True),
    ],
)
def test_a_figure_is_kept_within_its_bounds_and_missed_where_it_never_was(figure: Figure, kept: bool) -> None:
    assert figure.kept is kept
    assert missed([figure]) == ([] if kept else [figure])


def test_a_figures_line_says_value_bound_and_verdict() -> None:
    assert " ".join(Figure("exposure", 7.5, "s", at_most=6).line.split()) == "exposure 7.5 s at most 6: MISSED"
    assert " ".join(Figure("exposure", None, "s", at_most=6).line.split()) == "exposure never s at most 6: MISSED"
    assert " ".join(Figure("load", 199.5, "per s", at_least=150).line.split()) == "load 199.5 per s at least 150: kept"

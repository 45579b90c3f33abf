"""`serinus history` and `serinus replay`: the deployment log for people, from a store or from lines."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from serinus.cli.main import app
from serinus.log import Entry
from serinus.log.store import Store
from serinus.rollout import Record
from tests.rollout.records import Book

START = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


@pytest.fixture
def records() -> list[Record]:
    """A rollout that was held by a person and rolled back, and another one that was promoted."""
    bad = Book("checkout", author="kim@example.com", start=START)
    bad.take("start", weight=10)
    bad.observe(2, canary_errors=0.01)
    bad.take("promote", weight=50, actor="jo", because="the release is urgent", overruled="hold")
    bad.observe(3, canary_errors=0.2)
    bad.take("rollback", weight=0)
    good = Book("predictor", author="jo@example.com", start=START + timedelta(hours=1))
    good.take("start", weight=10)
    good.observe(10, canary_errors=0.01)
    good.take("promote", weight=100)
    good.take("promoted")
    return [*bad.records, *good.records]


@pytest.fixture
def store(records: list[Record], tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with Store(url) as opened:
        opened.create()
        for record in records:
            opened.append(Entry.of_line(record.line()))
    return f"--store={url}"


@pytest.fixture
def lines(records: list[Record], tmp_path: Path) -> str:
    """What an operator printed, with a line of somebody else in between."""
    file = tmp_path / "operator.jsonl"
    file.write_text("".join(f"{record.line()}\nanother line\n" for record in records))
    return f"--lines={file}"


@pytest.fixture(params=["store", "lines"])
def source(request: pytest.FixtureRequest) -> str:
    value: str = request.getfixturevalue(request.param)
    return value


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [
        json.loads(line)["id"].split("-")[0] + "/" + json.loads(line)["id"].rpartition("/")[2]
        for line in result.output.splitlines()
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ["checkout/1", "checkout/2", "checkout/3", "predictor/1", "predictor/2", "predictor/3"]),
        (["checkout"], ["checkout/1", "checkout/2", "checkout/3"]),
        (["--author=jo@example.com", "--verdict=promoted"], ["predictor/3"]),
        (["--actor=jo"], ["checkout/2"]),
        (["--since=2026-11-21T13:00Z", "--limit=2"], ["predictor/2", "predictor/3"]),
        (["--until=2026-11-21T12:00:03Z"], ["checkout/1"]),
        (["-n", "elsewhere"], []),
    ],
)
def test_records_by_service_author_verdict_and_time_R26(source: str, options: list[str], found: list[str]) -> None:
    assert ids(run("history", source, "-o", "json", *options)) == found


def test_json_is_the_records_as_they_were_written(source: str, records: list[Record]) -> None:
    assert run("history", source, "-o", "json").output.splitlines() == [record.line() for record in records]


def test_yaml_is_the_whole_records(source: str, records: list[Record]) -> None:
    documents = list(yaml.safe_load_all(run("history", source, "-o", "yaml", "--limit=1").output))
    assert documents[0]["id"] == records[-1].id
    assert documents[0]["plan"]["policy"]["metrics"][0]["name"] == "error-rate"


def test_a_table_says_who_did_what(source: str) -> None:
    shown = run("history", source, "checkout").output.splitlines()
    assert shown[0].split() == ["TIME", "SERVICE", "RECORD", "VERDICT", "WEIGHT", "BY", "REASON"]
    assert shown[2].split() == [
        "2026-11-21T12:00:33Z",
        "ml/checkout",
        "checkout-0a1b2c3d/2",
        "promote",
        "10",
        "→",
        "50",
        "jo",
        "Override",
    ]


def test_figures_of_all_rollouts(source: str) -> None:
    figures = json.loads(run("history", source, "--figures", "-o", "json").output)
    assert (figures["rollouts"], figures["promoted"], figures["rolled_back"]) == (2, 1, 1)
    assert figures["contradictions"][0]["end"] == "rolled back"
    assert (
        "jo asked for promote against hold (the release is urgent): rolled back"
        in run("history", source, "--figures").output
    )


def test_a_record_is_judged_again_to_the_same_bytes_I8(source: str, records: list[Record]) -> None:
    result = run("replay", source, "--id", records[2].id)
    assert result.exit_code == 0, result.output
    assert "rollback" in result.output
    assert "same bytes" in result.output


def test_all_records_of_a_rollout_are_judged_again_I8(source: str, records: list[Record]) -> None:
    result = run("replay", source, "--rollout", records[0].rollout)
    assert result.exit_code == 0, result.output
    assert result.output.count("same bytes") == 2
    assert "taken without the judge" in result.output


def test_a_whole_log_is_verified(source: str) -> None:
    result = run("replay", source, "--verify")
    assert (result.exit_code, "as it was written" in result.output) == (0, True)


def test_one_changed_byte_is_named_with_exit_code_1(records: list[Record], tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(
        "\n".join(record.line() for record in records).replace("the release is urgent", "the release is Urgent")
    )
    result = run("replay", f"--lines={file}", "--verify")
    assert result.exit_code == 1
    assert "line 2: its content is not what its hash says" in result.output


def test_one_changed_byte_in_the_store_is_told_with_its_record_and_exit_code_1(
    store: str, records: list[Record], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection, connection:
        change = "UPDATE records SET line = replace(line, 'is urgent', 'is Urgent') WHERE id = ?"
        assert connection.execute(change, (records[1].id,)).rowcount == 1
    result = run("replay", store, "--verify")
    assert (result.exit_code, result.output) == (1, f"{records[1].id}: its content is not what its hash says\n")


def test_a_forged_verdict_does_not_replay_even_with_a_good_hash_I8(records: list[Record], tmp_path: Path) -> None:
    evidence = records[2].evidence
    assert evidence is not None
    told = evidence.verdict.model_copy(update={"verdict": "promote"})
    forged = records[2].model_copy(update={"evidence": evidence.model_copy(update={"verdict": told})})
    file = tmp_path / "log.jsonl"
    file.write_text(forged.line())
    result = run("replay", f"--lines={file}", "--id", forged.id)
    assert result.exit_code == 1
    assert "differs" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("history",),
        ("history", "--store=mysql://x"),
        ("history", "--store=sqlite:////nowhere/at/all.db"),
        ("history", "--lines=/nowhere/at/all"),
        ("history", "--store=sqlite:///x.db", "--since=yesterday"),
        ("replay", "--store=sqlite:////nowhere/at/all.db", "--verify"),
        ("replay",),
    ],
)
def test_what_cannot_be_looked_at_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_record_that_is_not_there_is_exit_code_2(source: str) -> None:
    assert run("replay", source, "--id", "nobody/1").exit_code == 2

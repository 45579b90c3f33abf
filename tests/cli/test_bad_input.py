"""Every command that reads files or options: what is wrong is one line, with the exit code of its kind."""

import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serinus.cli.main import app
from tests.cli.program import TIMEOUT, command
from tests.rollout.records import Book

FILES = [
    ("judge", "--evidence=/dev/null", "--policy"),
    ("plan", "--rps=5", "--error-rate=0.01", "-f"),
    ("doctor", "-f"),
    ("history", "--lines"),
    ("replay", "--verify", "--lines"),
]
"""The commands that read a file, each to be followed by its name."""

MANIFESTS = FILES[:3]


def run(*arguments: str, directory: Path) -> Result:
    nobody = {"KUBECONFIG": str(directory / "no.kubeconfig"), "HOME": str(directory)}
    return CliRunner(env=nobody).invoke(app, arguments)


def told(result: Result) -> str:
    """The one line that says what is wrong."""
    assert result.exit_code == 2, result.output
    [line] = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


@pytest.mark.parametrize("words", FILES, ids=lambda words: words[0])
def test_a_file_that_cannot_be_read_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    absent, directory, bytes_ = tmp_path / "absent", tmp_path / "directory", tmp_path / "bytes"
    directory.mkdir()
    bytes_.write_bytes(b"fine\n\xff")
    assert told(run(*words, str(absent), directory=tmp_path)) == f"{absent}: No such file or directory"
    assert told(run(*words, str(directory), directory=tmp_path)) == f"{directory}: Is a directory"
    assert told(run(*words, str(bytes_), directory=tmp_path)) == f"{bytes_} line 2: is not UTF-8"


@pytest.mark.parametrize("words", MANIFESTS, ids=lambda words: words[0])
def test_what_is_not_yaml_is_told_by_line_and_column(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "manifest.yaml"
    file.write_text("spec:\n  ladder: [1, }\n")
    assert told(run(*words, str(file), directory=tmp_path)).startswith(f"{file} line 2, column 15: not a YAML document")


@pytest.mark.parametrize("words", FILES, ids=lambda words: words[0])
def test_another_file_is_not_taken_for_the_one_that_is_meant(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("just text\n")
    assert told(run(*words, str(file), directory=tmp_path)).startswith(f"{file}: ")


def test_a_log_without_a_record_is_not_said_to_be_whole(tmp_path: Path) -> None:
    assert "has no record" in told(run("replay", "--verify", "--lines", "/dev/null", directory=tmp_path))


@pytest.fixture
def lines(tmp_path: Path) -> str:
    book = Book("checkout", start=datetime(2026, 11, 21, 12, tzinfo=UTC))
    book.take("start", weight=10)
    file = tmp_path / "operator.jsonl"
    file.write_text(f"{book.records[0].line()}\n")
    return f"--lines={file}"


@pytest.mark.parametrize("words", [(), ("--figures",), ("-o", "json")])
def test_an_unknown_service_is_answered_with_the_nearest(words: tuple[str, ...], lines: str, tmp_path: Path) -> None:
    line = told(run("history", "chekout", lines, *words, directory=tmp_path))
    assert line == "the log has no record of 'chekout'; did you mean checkout?"


@pytest.mark.parametrize("words", ["--id=chekout-0a1b2c3d/1", "--rollout=chekout-0a1b2c3d"])
def test_an_unknown_record_is_answered_with_the_nearest_rollout(words: str, lines: str, tmp_path: Path) -> None:
    assert told(run("replay", words, lines, directory=tmp_path)).endswith("did you mean checkout-0a1b2c3d?")


def test_nothing_found_is_said_where_people_look_and_nowhere_else(lines: str, tmp_path: Path) -> None:
    found = run("history", "checkout", "--verdict=rollback", lines, directory=tmp_path)
    assert (found.exit_code, found.stdout, found.stderr) == (0, "", "No such records.\n")
    found = run("history", "checkout", "--verdict=rollback", lines, "-o", "json", directory=tmp_path)
    assert (found.exit_code, found.output) == (0, "")


def test_crds_cannot_be_written_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert told(run("crds", "--write", str(file), directory=tmp_path)) == f"--write {file}: File exists"


OPERATOR = ("run", "--prometheus=http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ((), "no cluster: "),
        (("--records=/absent/records",), "/absent/records"),
        (("--prometheus=nonsense",), "nonsense"),
    ],
)
def test_an_operator_that_cannot_begin_says_why(options: tuple[str, ...], what: str, tmp_path: Path) -> None:
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "no.kubeconfig")}
    done = subprocess.run(
        command(*OPERATOR, *options), env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert what in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("heeds_ctrl_c")
@pytest.mark.parametrize("words", FILES, ids=lambda words: words[0])
def test_ctrl_c_is_one_word_and_exit_code_130(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "pipe"
    os.mkfifo(file)
    process = subprocess.Popen(command(*words, str(file)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with file.open("w"):  # opens when the command has begun to read, and then it waits
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=TIMEOUT) == ("", "Interrupted.\n")
    assert process.returncode == 130

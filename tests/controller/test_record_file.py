"""Records go to standard output, and where wanted to a file that never grows beyond its bound (R26)."""

import logging
from pathlib import Path

import pytest

from serinus.controller.record_file import RecordFile, to_all, to_file, to_standard_output

LINE = "0123456789" * 10


def test_a_file_is_rotated_and_nothing_is_lost_within_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    write = to_file(RecordFile(path, size=1000, kept=3))
    for number in range(25):
        write(f"{number} {LINE}")
    files = [path, *(tmp_path / f"records.jsonl.{number}" for number in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == sorted(files[: len(list(tmp_path.iterdir()))])
    assert all(file.stat().st_size <= 1000 for file in tmp_path.iterdir())
    written = [line.split()[0] for file in reversed(files) if file.exists() for line in file.read_text().splitlines()]
    assert written == [str(number) for number in range(25)]


def test_only_so_many_old_files_are_kept(tmp_path: Path) -> None:
    write = to_file(RecordFile(tmp_path / "records.jsonl", size=200, kept=2))
    for _ in range(50):
        write(LINE)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["records.jsonl", "records.jsonl.1", "records.jsonl.2"]


def test_a_restart_appends(tmp_path: Path) -> None:
    for line in ("before", "after"):
        to_file(RecordFile(tmp_path / "records.jsonl", size=1000, kept=1))(line)
    assert (tmp_path / "records.jsonl").read_text() == "before\nafter\n"


def test_a_per_cent_sign_is_one(tmp_path: Path) -> None:
    to_file(RecordFile(tmp_path / "records.jsonl", size=1000, kept=1))('{"message": "50 % of %s"}')
    assert (tmp_path / "records.jsonl").read_text() == '{"message": "50 % of %s"}\n'


def test_a_file_that_cannot_be_opened_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        to_file(RecordFile(tmp_path / "absent" / "records.jsonl", size=1000, kept=1))


def test_a_full_disk_costs_the_line_and_no_decision(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    write = to_all([to_file(RecordFile(Path("/dev/full"), size=1000, kept=1)), to_standard_output])
    with caplog.at_level(logging.ERROR):
        write(LINE)
    assert capsys.readouterr().out == f"{LINE}\n"
    assert "was not written to /dev/full" in caplog.text

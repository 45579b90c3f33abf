"""The chain of hashes: what was changed, removed or moved is found, and the record named (R26)."""

from dataclasses import replace

import pytest

from serinus.log import Entry, LineError, is_record, verify


def test_a_whole_log_has_no_damage(good: list[Entry], bad: list[Entry]) -> None:
    interleaved = [good[0], bad[0], *good[1:], *bad[1:]]
    assert list(verify(interleaved)) == []


def test_every_byte_of_a_line_counts(good: list[Entry]) -> None:
    line = good[1].line
    for place in range(0, len(line), 97):
        other = "x" if line[place] != "x" else "y"
        changed = replace(good[1], line=line[:place] + other + line[place + 1 :])
        [damage] = verify([changed])
        assert damage.id == good[1].id


def test_a_column_that_contradicts_its_line_is_found(good: list[Entry]) -> None:
    [damage] = verify([replace(good[1], verdict="hold")])
    assert damage.id == good[1].id


def test_a_removed_record_is_found_at_the_next(good: list[Entry]) -> None:
    [damage] = verify([good[0], *good[2:]])
    assert damage.id == good[2].id


def test_records_that_were_moved_are_found(good: list[Entry]) -> None:
    assert {damage.id for damage in verify([good[1], good[0], good[2]])} >= {good[2].id}


def test_a_log_may_begin_in_the_middle_and_an_object_be_made_anew(good: list[Entry]) -> None:
    assert list(verify(good[2:])) == []
    assert list(verify([*good, good[0]])) == []


def test_a_hash_that_stands_elsewhere_is_a_change(good: list[Entry]) -> None:
    member = f'"hash":"{good[1].hash}",'
    moved = good[1].line.replace(member, "").replace('"name":', f'{member}"name":')
    with pytest.raises(LineError, match="form"):
        Entry.of_line(moved)


def test_an_inserted_space_is_a_change() -> None:
    with pytest.raises(LineError, match="form"):
        Entry.of_line('{"serinus": "record"}'.replace("}", _REST))


_REST = (
    ',"id":"r/1","rollout":"r","namespace":"n","name":"m","time":"2026-11-21T12:00:00Z","actor":"serinus",'
    '"verdict":"hold","reason":"R","previousHash":"","hash":"0","weightBefore":1,"weightAfter":1}'
)


@pytest.mark.parametrize("line", ["", "2026-11-21 something else", '{"level":"info"}'])
def test_other_lines_of_the_output_are_no_records(line: str) -> None:
    assert not is_record(line)


@pytest.mark.parametrize("line", ['{"serinus":"record"', '{"serinus":"record"}', '["serinus"]', "{" * 100_000])
def test_what_is_no_record_is_an_error_and_no_crash(line: str) -> None:
    with pytest.raises(LineError):
        Entry.of_line(line)

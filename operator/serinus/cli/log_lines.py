"""What an operator wrote to its standard output, looked at as a store is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from serinus.cli.inputs import InputError, name_of, read_text
from serinus.log import Damage, Entry, LineError, Query, is_record, newest, of_rollouts, verify


class Lines:
    """The records in a file that may hold other lines too. Every method raises InputError for one that is damaged.

    Raises InputError for a file that cannot be read, or in which no line is a record.
    """

    def __init__(self, file: Path) -> None:
        self._name = name_of(file)
        lines = read_text(file).splitlines()
        self._read = [_read(line, number) for number, line in enumerate(lines, start=1) if is_record(line)]
        if lines and not self._read:
            raise InputError(f"{self._name}: no line of it is a record: is it an operator's standard output?")

    def newest(self, query: Query, most: int) -> list[Entry]:
        """At most `most` of the records that a query wants: the newest, in their order."""
        return newest(self._entries(), query, most)

    def newest_lines(self, query: Query, most: int) -> list[str]:
        """The same records, as they were written."""
        return [entry.line for entry in self.newest(query, most)]

    def all(self, query: Query) -> Iterator[Entry]:
        """All records that a query wants, in their order."""
        return filter(query.wants, self._entries())

    def decisive(self, query: Query) -> list[Entry]:
        """The records of the rollouts that have one that a query wants, in their order."""
        return of_rollouts(self._entries(), query)

    def known(self, column: Literal["name", "rollout"]) -> list[str]:
        """Of what there are records, sorted."""
        return sorted({getattr(entry, column) for entry in self._entries()})

    def damages(self) -> Iterator[Damage]:
        """What is wrong with the log, record by record; of a damaged one the line's number stands for its id."""
        yield from (each for each in self._read if isinstance(each, Damage))
        yield from verify(each for each in self._read if isinstance(each, Entry))

    def _entries(self) -> Iterator[Entry]:
        for each in self._read:
            if isinstance(each, Damage):
                raise InputError(f"{self._name} {each.id}: {each.what}")
            yield each


def _read(line: str, number: int) -> Entry | Damage:
    try:
        return Entry.of_line(line)
    except LineError as error:
        return Damage(f"line {number}", str(error))

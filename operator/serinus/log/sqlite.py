"""A store in a file: SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

_PATIENCE = 5  # seconds for a lock


@dataclass(frozen=True, slots=True)
class SQLite:
    """The database in a file, relative to the working directory or absolute."""

    file: str
    dialect = "sqlite"
    mark = "?"
    error = sqlite3.Error

    @property
    def name(self) -> str:
        """The address for messages."""
        return f"sqlite:///{self.file}"

    def prepare(self) -> None:
        """Make the file; from then on readers and the writer do not wait for each other."""
        Path(self.file).touch()
        with closing(self.connect()) as connection:
            connection.execute("PRAGMA journal_mode=WAL")

    def connect(self) -> sqlite3.Connection:
        """A connection for any thread. A file that is not there is not made by somebody who only wants to read."""
        return sqlite3.connect(f"file:{quote(self.file)}?mode=rw", uri=True, timeout=_PATIENCE, check_same_thread=False)

    def rows(self, statement: str, values: Sequence[str | int]) -> Iterator[tuple[Any, ...]]:
        """What a statement finds."""
        with closing(self.connect()) as connection:
            yield from connection.execute(statement, values)

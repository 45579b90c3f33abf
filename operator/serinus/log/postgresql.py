"""A store for clusters: PostgreSQL. Imported where one is asked for: the driver is an extra, and slow to import."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg

_PATIENCE = 5  # seconds for a connection, and for one statement


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """The database that `options` lead to: what libpq calls host, port, user, password, dbname, sslmode, ..."""

    options: Mapping[str, str] = field(repr=False)
    dialect = "postgresql+psycopg"
    mark = "%s"
    error = psycopg.Error

    @property
    def name(self) -> str:
        """The address for messages."""
        given = self.options
        user, port = given.get("user", ""), given.get("port", "")
        place = f"{user}{'@' * bool(user)}{given.get('host', '')}{':' * bool(port)}{port}"
        return f"postgresql://{place}/{given.get('dbname', '')}"

    def prepare(self) -> None:
        """Nothing: databases are made by those who run the server."""

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that gives up a statement that takes too long."""
        patience = f"-c statement_timeout={1000 * _PATIENCE}"
        given: dict[str, Any] = {**self.options, "connect_timeout": _PATIENCE, "options": patience}
        return psycopg.connect(**given)

    def rows(self, statement: str, values: Sequence[str | int]) -> Iterator[tuple[Any, ...]]:
        """What a statement finds: the server keeps it, for the driver would fetch all before the first is looked at."""
        with closing(self.connect()) as connection, connection.cursor(name="log") as cursor:
            cursor.itersize = 1000
            cursor.execute(statement.encode(), values)
            yield from cursor

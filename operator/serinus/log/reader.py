"""A store as people look at it: what they want to see, read by the database's own driver.

SQLAlchemy, behind which the store is written, takes longer to import than a look at the log takes in all.
"""

from collections.abc import Iterator
from typing import Any, Literal

from serinus.log.chain import Damage, verify
from serinus.log.database import database_of, unusable
from serinus.log.entry import COLUMNS, HEADING, Entry, Heading
from serinus.log.query import Query
from serinus.log.statement import Statement, decisive, in_order, newest_first


class Reader:
    """Reads the store at an address, as `database_of` has it. Raises StoreError, and so does every method."""

    def __init__(self, url: str) -> None:
        self._database = database_of(url)

    def newest(self, query: Query, most: int) -> list[Heading]:
        """At most `most` of the records that a query wants: the newest, in the order in which they came."""
        return [Heading(*row) for row in self._rows(newest_first(HEADING, query, most, self._database.mark))][::-1]

    def newest_lines(self, query: Query, most: int) -> list[str]:
        """The same records, as they were written."""
        return [line for (line,) in self._rows(newest_first(("line",), query, most, self._database.mark))][::-1]

    def all(self, query: Query) -> Iterator[Entry]:
        """All records that a query wants, in the order in which they came, some at a time."""
        yield from (Entry(*row) for row in self._rows(in_order(COLUMNS, query, self._database.mark)))

    def decisive(self, query: Query) -> Iterator[Entry]:
        """What figures are made of, of the rollouts that have a record that a query wants, in order.

        Without the lines of which figures want nothing.
        """
        yield from (Entry(*row) for row in self._rows(decisive(query, self._database.mark)))

    def damages(self) -> Iterator[Damage]:
        """What is wrong with the log, record by record."""
        return verify(self.all(Query()))

    def known(self, column: Literal["name", "rollout"]) -> list[str]:
        """Of what there are records, sorted."""
        return [value for (value,) in self._rows(Statement(f"SELECT DISTINCT {column} FROM records ORDER BY 1", ()))]

    def _rows(self, statement: Statement) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._database.rows(statement.text, statement.values)
        except self._database.error as error:
            raise unusable(self._database, error) from error

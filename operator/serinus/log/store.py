"""The store: records in a database that outlives the cluster's objects. SQLite by default, PostgreSQL for clusters."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    create_engine,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from serinus.log.entry import COLUMNS, Entry
from serinus.log.query import Query

_PATIENCE = 5  # seconds for a connection, for a lock, and for one statement
_BATCH = 1000  # rows that are fetched at a time when all are read

_METADATA = MetaData()
RECORDS = Table(
    "records",
    _METADATA,
    # Numbers the records in the order in which they came; SQLite counts only what is called INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, index=True),
    Column("rollout", String, nullable=False, index=True),
    Column("namespace", String, nullable=False),
    Column("name", String, nullable=False, index=True),
    Column("author", String, index=True),
    Column("time", String, nullable=False, index=True),
    Column("actor", String, nullable=False, index=True),
    Column("verdict", String, nullable=False, index=True),
    Column("reason", String, nullable=False),
    Column("weight_before", Integer, nullable=False),
    Column("weight_after", Integer, nullable=False),
    Column("previous_hash", String, nullable=False),
    Column("hash", String, nullable=False, unique=True),
    Column("line", Text, nullable=False),
)

_ENTRY = tuple(RECORDS.c[name] for name in COLUMNS)

# Both databases have the same words for "unless it is there already"; SQLAlchemy's would load both of their dialects.
_APPEND = text(
    f"INSERT INTO records ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)}) "
    "ON CONFLICT (hash) DO NOTHING"
)

T = TypeVar("T")


class StoreError(Exception):
    """The store cannot be used now; the message says which store (without credentials) and why."""


class Store:
    """A database of records: append-only; the same record appended twice is there once.

    `url` as SQLAlchemy has it: sqlite:///serinus.db, postgresql+psycopg://user:password@host/database. Raises
    StoreError for another kind of database, and from every method where the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self.name = self._url.render_as_string(hide_password=True)
        self._engine = _engine(self._url)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def create(self) -> None:
        """Make the table where there is none yet, and of a SQLite store the file."""

        def make() -> None:
            _METADATA.create_all(self._engine)
            if self._engine.dialect.name == "sqlite":
                # From now on readers and the writer do not wait for each other.
                with self._engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")

        if self._engine.dialect.name == "sqlite" and self._url.database:
            try:
                Path(self._url.database).touch()
            except OSError as error:
                raise StoreError(f"{self.name}: {error.strerror}") from error
        self._tried(make)

    def append(self, entry: Entry) -> None:
        """Add a record; returns when the database has it for good."""
        row = {name: getattr(entry, name) for name in COLUMNS}

        def write() -> None:
            with self._engine.begin() as connection:
                connection.execute(_APPEND, row)

        self._tried(write)

    def newest(self, query: Query, most: int) -> list[Entry]:
        """At most `most` of the records that a query wants: the newest, in the order in which they came."""
        statement = _where(query).order_by(RECORDS.c.number.desc()).limit(most)

        def read() -> list[Entry]:
            with self._engine.connect() as connection:
                return [Entry(*row) for row in connection.execute(statement)]

        return self._tried(read)[::-1]

    def all(self, query: Query) -> Iterator[Entry]:
        """All records that a query wants, in the order in which they came, a batch at a time."""
        last = 0
        while batch := self._batch(query, last):
            for number, *row in batch:
                yield Entry(*row)
                last = number

    def _batch(self, query: Query, after: int) -> list[Any]:
        wanted = _where(query).add_columns(RECORDS.c.number).where(RECORDS.c.number > after)
        statement = wanted.order_by(RECORDS.c.number).limit(_BATCH)

        def read() -> list[Any]:
            with self._engine.connect() as connection:
                return [(row[-1], *row[:-1]) for row in connection.execute(statement)]

        return self._tried(read)

    def _tried(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except SQLAlchemyError as error:
            # The database's own words: SQLAlchemy's have the statement, a driver's may go over many lines.
            said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
            raise StoreError(f"{self.name}: {said[0]}") from error


def _where(query: Query) -> Select[Any]:
    statement = select(*_ENTRY)
    for name, value in query.equal.items():
        statement = statement.where(RECORDS.c[name] == value)
    if query.since is not None:
        statement = statement.where(RECORDS.c.time >= query.since)
    if query.until is not None:
        statement = statement.where(RECORDS.c.time < query.until)
    return statement


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            "the store's address is none; it reads like sqlite:///serinus.db or "
            "postgresql+psycopg://user:password@host/database"
        ) from error
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise StoreError(f"{kind} is not a kind of store: use sqlite or postgresql")
    return parsed.set(drivername="postgresql+psycopg") if kind == "postgresql" else parsed


def _engine(url: URL) -> Engine:
    """An engine that fails within seconds, and shows no values in its errors."""
    if url.get_backend_name() == "sqlite":
        # Not to be made by somebody who only wants to read: `create` does.
        existing = url.set(database=f"file:{url.database}", query={"mode": "rw", "uri": "true"})
        return create_engine(existing, hide_parameters=True, connect_args={"timeout": _PATIENCE})
    patience = {"connect_timeout": _PATIENCE, "options": f"-c statement_timeout={1000 * _PATIENCE}"}
    return create_engine(url, hide_parameters=True, connect_args=patience, pool_size=1, pool_pre_ping=True)

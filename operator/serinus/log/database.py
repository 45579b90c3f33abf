"""The seam to the database: what the log needs of either kind, behind the driver's own interface (PEP 249)."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

from serinus.log.sqlite import SQLite

_ADDRESS = re.compile(
    r"(?P<kind>\w+)(?:\+\w+)?://"
    r"(?:(?P<user>[^:/@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<host>\[[^\]]*\]|[^:/?@]*)(?::(?P<port>\d+))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?"
)
"""As SQLAlchemy reads an address: what follows `+` names a driver, of which each kind has one here."""


class StoreError(Exception):
    """The store cannot be used now; the message says which store (without credentials) and why."""


class Database(Protocol):
    """One kind of database, at one address."""

    @property
    def name(self) -> str:
        """The address for messages, without credentials (I10)."""

    @property
    def dialect(self) -> str:
        """What SQLAlchemy calls the kind and its driver."""

    @property
    def mark(self) -> str:
        """What stands for a value in a statement."""

    @property
    def error(self) -> type[Exception]:
        """What everything here may raise."""

    def prepare(self) -> None:
        """Make what a store needs before it has tables. Raises OSError too."""

    def connect(self) -> Any:
        """A new connection, which fails within seconds instead of waiting."""

    def rows(self, statement: str, values: Sequence[str | int]) -> Iterator[tuple[Any, ...]]:
        """What a statement finds, fetched some at a time."""


def database_of(url: str) -> Database:
    """The database at sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE. Raises StoreError."""
    found = _ADDRESS.fullmatch(url.strip())
    if found is None:
        raise StoreError(
            "the store's address is none; it reads like sqlite:///serinus.db or postgresql://user:password@host/database"
        )
    kind, file = found["kind"], found["database"]
    if kind == "sqlite":
        if not file or found["host"] or found["options"]:
            raise StoreError("a SQLite store is a file and nothing else: sqlite:///serinus.db, sqlite:////var/log.db")
        return SQLite(file)
    if kind != "postgresql":
        raise StoreError(f"{kind} is not a kind of store: use sqlite or postgresql")
    try:
        from serinus.log.postgresql import PostgreSQL  # noqa: PLC0415  # an extra: SQLite works without it
    except ImportError as error:
        raise StoreError("a PostgreSQL store needs psycopg: install serinus[postgres]") from error
    given = {"user": found["user"], "password": found["password"], "host": found["host"].strip("[]")}
    told = {name: unquote(value) for name, value in given.items() if value}
    place = {name: value for name, value in {"port": found["port"], "dbname": file}.items() if value}
    return PostgreSQL(dict(parse_qsl(found["options"] or "")) | told | place)


def unusable(database: Database, error: BaseException) -> StoreError:
    """What to tell of an error of the database's: its own words, of which a driver may have many lines."""
    said = str(error).strip().splitlines() or [type(error).__name__]
    return StoreError(f"{database.name}: {said[0]}")

"""The store: records in a database that outlives the cluster's objects. SQLite by default, PostgreSQL for clusters."""

from collections.abc import Callable
from types import TracebackType

from sqlalchemy import BigInteger, Column, Integer, MetaData, QueuePool, String, Table, Text, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from serinus.log.database import StoreError, database_of, unusable
from serinus.log.entry import COLUMNS, Entry

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

# Both databases have the same words for "unless it is there already"; SQLAlchemy's would load both of their dialects.
_APPEND = text(
    f"INSERT INTO records ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)}) "
    "ON CONFLICT (hash) DO NOTHING"
)


class Store:
    """A database that takes records: append-only; the same record appended twice is there once.

    `url` as `database_of` has it. Raises StoreError, and from every method where the database cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._database = database_of(url)
        self._engine = create_engine(
            f"{self._database.dialect}://",
            creator=self._database.connect,
            poolclass=QueuePool,
            pool_size=1,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def create(self) -> None:
        """Make the table where there is none yet, and of a SQLite store the file."""
        try:
            self._database.prepare()
        except OSError as error:
            raise StoreError(f"{self._database.name}: {error.strerror}") from error
        except self._database.error as error:
            raise unusable(self._database, error) from error
        self._tried(lambda: _METADATA.create_all(self._engine))

    def append(self, entry: Entry) -> None:
        """Add a record; returns when the database has it for good."""
        row = {name: getattr(entry, name) for name in COLUMNS}

        def write() -> None:
            with self._engine.begin() as connection:
                connection.execute(_APPEND, row)

        self._tried(write)

    def _tried(self, action: Callable[[], None]) -> None:
        try:
            action()
        except SQLAlchemyError as error:
            # Of SQLAlchemy's own words the driver's are a part; the rest is the statement.
            raise unusable(self._database, getattr(error, "orig", None) or error) from error

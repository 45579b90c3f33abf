"""A log to look at: records of rollouts that the real judge judged, and both kinds of store."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from lab.processes import Processes
from lab.progress import Progress
from lab.stack.postgres import start_postgres
from serinus.log import Entry, Reader
from serinus.log.store import Store
from serinus.rollout import Record
from tests.rollout.records import Book

START = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


def entries(*records: Record) -> list[Entry]:
    return [Entry.of_line(record.line()) for record in records]


@pytest.fixture
def good() -> list[Entry]:
    """A good canary's rollout: started, promoted twice, completed."""
    book = Book("predictor", author="jo@example.com", start=START)
    book.take("start", weight=10)
    book.observe(10, canary_errors=0.01)
    book.take("promote", weight=50)
    book.observe(10, canary_errors=0.01)
    book.take("promote", weight=100)
    book.take("promoted")
    return entries(*book.records)


@pytest.fixture
def bad() -> list[Entry]:
    """A bad canary's: one good tick, then errors, then rolled back."""
    book = Book("checkout", author="kim@example.com", start=START + timedelta(hours=1))
    book.take("start", weight=10)
    book.observe(1, canary_errors=0.0)
    book.observe(3, canary_errors=0.2)
    book.take("rollback", weight=0)
    return entries(*book.records)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server with an empty database."""
    directory = tmp_path_factory.mktemp("postgres")
    processes = Processes(directory / "logs", Progress())
    try:
        yield start_postgres(processes, directory).address
    finally:
        processes.stop_all(timeout=5)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'log.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"log_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return f"{server.removesuffix('postgres')}{name}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        opened.create()
        yield opened


@pytest.fixture
def reader(url: str) -> Reader:
    return Reader(url)

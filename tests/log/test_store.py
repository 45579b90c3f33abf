"""The store: SQLite and PostgreSQL keep the same promises."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, text

from serinus.log import Entry, Heading, Query, Reader, StoreError, figures_of, of_rollouts, verify
from serinus.log.database import database_of
from serinus.log.postgresql import PostgreSQL
from serinus.log.sqlite import SQLite
from serinus.log.store import Store
from tests.log.line import Line


def fill(store: Store, *rollouts: list[Entry]) -> None:
    for rollout in rollouts:
        for entry in rollout:
            store.append(entry)


def ids(headings: Sequence[Heading]) -> list[str]:
    return [heading.id for heading in headings]


def test_what_was_appended_is_read_as_it_was_R26(
    store: Store, reader: Reader, good: list[Entry], bad: list[Entry]
) -> None:
    fill(store, good, bad)
    assert list(reader.all(Query())) == [*good, *bad]


def test_a_record_that_is_delivered_twice_is_there_once(store: Store, reader: Reader, good: list[Entry]) -> None:
    fill(store, good, good)
    assert list(reader.all(Query())) == good


def test_the_newest_come_in_the_order_in_which_they_were_taken(store: Store, reader: Reader, good: list[Entry]) -> None:
    fill(store, good)
    assert ids(reader.newest(Query(), 2)) == ids(good[-2:])
    assert reader.newest_lines(Query(), 2) == [entry.line for entry in good[-2:]]


def test_a_table_is_told_what_the_records_say(store: Store, reader: Reader, good: list[Entry]) -> None:
    fill(store, good)
    for heading, entry in zip(reader.newest(Query(), 9), good, strict=True):
        assert {field.name: getattr(heading, field.name) for field in fields(Heading)} == {
            field.name: getattr(entry, field.name) for field in fields(Heading)
        }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(name="checkout"), 2),
        (Query(namespace="elsewhere"), 0),
        (Query(author="jo@example.com"), 4),
        (Query(verdict="rollback"), 1),
        (Query(actor="serinus", verdict="promote"), 2),
        (Query(since="2026-11-21T13:00:00.000000Z"), 2),
        (Query(until="2026-11-21T13:00:00.000000Z", name="checkout"), 0),
        (Query(rollout="predictor-0a1b2c3d"), 4),
        (Query(id="checkout-0a1b2c3d/2"), 1),
    ],
)
def test_records_are_found_by_service_author_verdict_and_time_R26(
    store: Store, reader: Reader, good: list[Entry], bad: list[Entry], query: Query, found: int
) -> None:
    fill(store, good, bad)
    assert len(reader.newest(query, 100)) == found
    assert len(list(reader.all(query))) == found
    assert len([entry for entry in [*good, *bad] if query.wants(entry)]) == found


def test_one_changed_byte_is_found_and_the_record_is_named(
    url: str, store: Store, reader: Reader, good: list[Entry], bad: list[Entry]
) -> None:
    fill(store, good, bad)
    assert list(verify(reader.all(Query()))) == []
    changed = text(
        "UPDATE records SET line = replace(line, '\"weightAfter\"\\:50', '\"weightAfter\"\\:51') WHERE id = :id"
    )
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(changed, {"id": good[1].id})
    engine.dispose()
    [damage] = verify(reader.all(Query()))
    assert damage.id == good[1].id
    assert "hash" in damage.what


def test_a_store_that_is_made_twice_keeps_its_records(
    url: str, store: Store, reader: Reader, good: list[Entry]
) -> None:
    fill(store, good)
    with Store(url) as again:
        again.create()
    assert len(list(reader.all(Query()))) == len(good)


def test_a_store_that_is_away_is_an_error_without_the_password_I10(good: list[Entry]) -> None:
    with Store("postgresql://serinus:not-to-be-seen@127.0.0.1:1/log") as store, pytest.raises(StoreError) as error:
        store.append(good[0])
    assert "127.0.0.1" in str(error.value)
    assert "not-to-be-seen" not in str(error.value)


async def test_a_database_that_was_away_takes_records_again(postgres: str, good: list[Entry]) -> None:
    """Also where connections were open when it went."""
    server = urlsplit(postgres)
    line = Line(server.port or 0)
    await line.mend()
    with Store(postgres.replace(f":{server.port}/", f":{line.port}/")) as store:
        await asyncio.to_thread(store.create)
        await asyncio.to_thread(store.append, good[0])
        await line.cut()
        with pytest.raises(StoreError, match="refused"):
            await asyncio.to_thread(store.append, good[1])
        await line.mend()
        for entry in good[1:]:
            await asyncio.to_thread(store.append, entry)
    await line.cut()
    assert ids(Reader(postgres).newest(Query(), 9)) == ids(good)


def test_looking_does_not_make_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"absent\.db"):
        Reader(f"sqlite:///{tmp_path / 'absent.db'}").newest(Query(), 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query", [Query(), Query(name="checkout"), Query(verdict="rollback"), Query(since="2026-11-21T12:01:00.000000Z")]
)
def test_figures_are_made_of_what_is_decisive_in_the_rollouts_that_are_asked_for(
    store: Store, reader: Reader, good: list[Entry], bad: list[Entry], query: Query
) -> None:
    """All else is left in the database: of a hundred thousand records most are steps and holds."""
    fill(store, good, bad)
    told = figures_of(reader.decisive(query))
    assert told == figures_of(of_rollouts([*good, *bad], query))
    assert told.rollouts in (1, 2)
    assert "promote" not in [entry.verdict for entry in reader.decisive(query)]


def test_whoever_looks_waits_for_no_sqlalchemy() -> None:
    code = "import sys, serinus.cli.history; sys.exit(', '.join({'sqlalchemy', 'psycopg'} & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"serinus history imports {done.stderr}"


@pytest.mark.parametrize("kind", [Reader, Store])
@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:not-to-be-seen@host/db",
        "no address",
        "",
        "sqlite://",
        "sqlite:///log.db?mode=memory",
        "postgresql://user:not-to-be-seen@host:port/db",
    ],
)
def test_what_is_no_store_is_refused_without_the_password_I10(kind: Callable[[str], object], url: str) -> None:
    with pytest.raises(StoreError) as error:
        kind(url)
    assert "not-to-be-seen" not in str(error.value)


def test_an_address_is_read_as_it_is_written() -> None:
    found = database_of("postgresql+psycopg://jo:p%40ss/w@[::1]:5433/log?sslmode=require")
    assert isinstance(found, PostgreSQL)
    assert found.options == {
        "user": "jo",
        "password": "p@ss/w",
        "host": "::1",
        "port": "5433",
        "dbname": "log",
        "sslmode": "require",
    }
    assert database_of("sqlite:////var/log.db") == SQLite("/var/log.db")

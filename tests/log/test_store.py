"""The store: SQLite and PostgreSQL keep the same promises."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from serinus.log import Entry, Query, verify
from serinus.log.store import Store, StoreError


def fill(store: Store, *rollouts: list[Entry]) -> None:
    for rollout in rollouts:
        for entry in rollout:
            store.append(entry)


def ids(entries: list[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def test_what_was_appended_is_read_as_it_was_R26(store: Store, good: list[Entry], bad: list[Entry]) -> None:
    fill(store, good, bad)
    assert list(store.all(Query())) == [*good, *bad]


def test_a_record_that_is_delivered_twice_is_there_once(store: Store, good: list[Entry]) -> None:
    fill(store, good, good)
    assert list(store.all(Query())) == good


def test_the_newest_come_in_the_order_in_which_they_were_taken(store: Store, good: list[Entry]) -> None:
    fill(store, good)
    assert ids(store.newest(Query(), 2)) == ids(good[-2:])


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
    store: Store, good: list[Entry], bad: list[Entry], query: Query, found: int
) -> None:
    fill(store, good, bad)
    assert len(store.newest(query, 100)) == found
    assert len(list(store.all(query))) == found
    assert len([entry for entry in [*good, *bad] if query.wants(entry)]) == found


def test_one_changed_byte_is_found_and_the_record_is_named(
    url: str, store: Store, good: list[Entry], bad: list[Entry]
) -> None:
    fill(store, good, bad)
    assert list(verify(store.all(Query()))) == []
    changed = text(
        "UPDATE records SET line = replace(line, '\"weightAfter\"\\:50', '\"weightAfter\"\\:51') WHERE id = :id"
    )
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(changed, {"id": good[1].id})
    engine.dispose()
    [damage] = verify(store.all(Query()))
    assert damage.id == good[1].id
    assert "hash" in damage.what


def test_a_store_that_is_made_twice_keeps_its_records(url: str, store: Store, good: list[Entry]) -> None:
    fill(store, good)
    with Store(url) as again:
        again.create()
        assert len(list(again.all(Query()))) == len(good)


def test_a_store_that_is_away_is_an_error_without_the_password_I10(good: list[Entry]) -> None:
    with Store("postgresql://serinus:not-to-be-seen@127.0.0.1:1/log") as store, pytest.raises(StoreError) as error:
        store.append(good[0])
    assert "127.0.0.1" in str(error.value)
    assert "not-to-be-seen" not in str(error.value)


def test_looking_does_not_make_a_store(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'absent.db'}") as store, pytest.raises(StoreError, match=r"absent\.db"):
        store.newest(Query(), 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mysql://user:not-to-be-seen@host/db", "no address", ""])
def test_what_is_no_store_is_refused_without_the_password_I10(url: str) -> None:
    with pytest.raises(StoreError) as error:
        Store(url)
    assert "not-to-be-seen" not in str(error.value)

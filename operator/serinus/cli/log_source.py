"""Where commands read the deployment log: a store, or what an operator wrote to its standard output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.inputs import InputError, name_of, read_text
from serinus.log import Damage, Entry, LineError, Query, is_record, newest, verify

if TYPE_CHECKING:
    from serinus.log.store import Store

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="SERINUS_STORE",
        metavar="URL",
        help="The log's store: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE.",
    ),
]
LinesOption = Annotated[
    Path | None,
    typer.Option("--lines", metavar="FILE", help="Read what an operator printed instead; - is standard input."),
]


def newest_entries(store: str | None, lines: Path | None, query: Query, most: int) -> list[Entry]:
    """At most `most` of the records that a query wants: the newest, in the log's order. Raises InputError."""
    if lines is not None:
        return newest(_undamaged(lines), query, most)
    with _usable(store) as opened:
        return opened.newest(query, most)


def all_entries(store: str | None, lines: Path | None, query: Query) -> Iterator[Entry]:
    """All records that a query wants, in the log's order. Raises InputError."""
    if lines is not None:
        yield from filter(query.wants, _undamaged(lines))
        return
    with _usable(store) as opened:
        yield from opened.all(query)


def damages(store: str | None, lines: Path | None) -> Iterator[Damage]:
    """What is wrong with the log's chains, record by record. Raises InputError."""
    if lines is None:
        yield from verify(all_entries(store, lines, Query()))
        return
    read = list(_lines(lines))
    yield from (each for each in read if isinstance(each, Damage))
    yield from verify(each for each in read if isinstance(each, Entry))


def _undamaged(lines: Path) -> Iterator[Entry]:
    for each in _lines(lines):
        if isinstance(each, Damage):
            raise InputError(f"{name_of(lines)} {each.id}: {each.what}")
        yield each


def _lines(lines: Path) -> Iterator[Entry | Damage]:
    """Each record in a file that may hold other lines too."""
    for number, line in enumerate(read_text(lines).splitlines(), start=1):
        if not is_record(line):
            continue
        try:
            yield Entry.of_line(line)
        except LineError as error:
            yield Damage(f"line {number}", str(error))


@contextmanager
def _usable(url: str | None) -> Iterator[Store]:
    """The store, whose errors become InputErrors."""
    if url is None:
        raise InputError("where is the log? Give --store URL (or SERINUS_STORE), or --lines FILE")
    from serinus.log.store import Store, StoreError

    try:
        with Store(url) as store:
            yield store
    except StoreError as error:
        raise InputError(str(error)) from error

"""Where commands read the deployment log: a store, or what an operator wrote to its standard output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.inputs import InputError, name_of, read_text
from serinus.log import (
    Damage,
    Entry,
    Figures,
    Heading,
    LineError,
    Query,
    Reader,
    StoreError,
    figures_of,
    is_record,
    newest,
    of_rollouts,
    verify,
)

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


def newest_headings(store: str | None, lines: Path | None, query: Query, most: int) -> Sequence[Heading]:
    """At most `most` of the records that a query wants: the newest, in the log's order. Raises InputError."""
    if lines is not None:
        return newest(_undamaged(lines), query, most)
    with _told():
        return _reader(store).newest(query, most)


def newest_lines(store: str | None, lines: Path | None, query: Query, most: int) -> list[str]:
    """The same records as they were written. Raises InputError."""
    if lines is not None:
        return [entry.line for entry in newest(_undamaged(lines), query, most)]
    with _told():
        return _reader(store).newest_lines(query, most)


def all_entries(store: str | None, lines: Path | None, query: Query) -> Iterator[Entry]:
    """All records that a query wants, in the log's order. Raises InputError."""
    if lines is not None:
        yield from filter(query.wants, _undamaged(lines))
        return
    with _told():
        yield from _reader(store).all(query)


def figures_of_log(store: str | None, lines: Path | None, query: Query) -> Figures:
    """Summary figures of the rollouts that have a record that a query wants. Raises InputError."""
    with _told():
        return figures_of(_reader(store).decisive(query) if lines is None else of_rollouts(_undamaged(lines), query))


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


def _reader(url: str | None) -> Reader:
    if url is None:
        raise InputError("where is the log? Give --store URL (or SERINUS_STORE), or --lines FILE")
    return Reader(url)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of the log become InputErrors."""
    try:
        yield
    except (StoreError, LineError) as error:
        raise InputError(str(error)) from error

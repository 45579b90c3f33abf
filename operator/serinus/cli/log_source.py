"""Where commands read the deployment log: a store, or what an operator wrote to its standard output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.inputs import InputError
from serinus.cli.log_lines import Lines
from serinus.log import LineError, Reader, StoreError

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


@contextmanager
def opened_log(store: str | None, lines: Path | None) -> Iterator[Reader | Lines]:
    """The log that the options name; its errors become InputErrors."""
    if lines is None and store is None:
        raise InputError("where is the log? Give --store URL (or SERINUS_STORE), or --lines FILE")
    try:
        yield Lines(lines) if lines is not None else Reader(str(store))
    except (StoreError, LineError) as error:
        raise InputError(str(error)) from error

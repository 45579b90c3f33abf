"""`serinus replay`: records judged again from what they carry, and the log's chain of hashes checked; offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.inputs import InputError
from serinus.cli.log_source import LinesOption, StoreOption, all_entries, damages

_REFUSED, _UNUSABLE = 1, 2  # exit codes: the answer is no; wrong usage or input


def replay(
    id: Annotated[
        str | None, typer.Option("--id", help="The record to judge again, for example predictor-1a2b3c4d/7.")
    ] = None,
    rollout: Annotated[str | None, typer.Option(help="Judge every record of this rollout again.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the hashes of the whole log.")] = False,
    store: StoreOption = None,
    lines: LinesOption = None,
) -> None:
    """Judge stored records again and compare bytes; with --verify, check that the log is as it was written.

    Exit code 0 if all is as the log says, 1 if anything is not, 2 if there is nothing to look at.
    """
    if not (id or rollout or verify):
        raise typer.BadParameter("say what to look at: --id, --rollout or --verify")
    try:
        good = (not verify or _chain_is_whole(store, lines)) and (
            not (id or rollout) or _judged_the_same(id, rollout, store, lines)
        )
    except InputError as error:
        typer.echo(error, err=True)
        raise typer.Exit(_UNUSABLE) from error
    if not good:
        raise typer.Exit(_REFUSED)


def _chain_is_whole(store: str | None, lines: Path | None) -> bool:
    found = list(damages(store, lines))
    for damage in found:
        typer.echo(f"{damage.id}: {damage.what}")
    if not found:
        typer.echo("every record is as it was written, and follows the one before")
    return not found


def _judged_the_same(id: str | None, rollout: str | None, store: str | None, lines: Path | None) -> bool:
    from pydantic import ValidationError

    from serinus.judge import StateError
    from serinus.log import Query
    from serinus.rollout import Record, judge_again, judgement_on_record

    good, seen = True, 0
    for entry in all_entries(store, lines, Query(id=id, rollout=rollout)):
        seen += 1
        try:
            record = Record.model_validate_json(entry.line)
            told, again = judgement_on_record(record), judge_again(record)
        except (ValidationError, StateError, ValueError) as error:
            raise InputError(f"{entry.id}: cannot be judged by this version: {error}") from error
        if told is None or again is None:
            typer.echo(f"{entry.id}: {entry.verdict} ({entry.reason}): taken without the judge")
        elif told.canonical() == again.canonical():
            ticks = len(record.evidence.ticks) if record.evidence else 0
            typer.echo(
                f"{entry.id}: {again.verdict.verdict} ({again.verdict.reason}) again, after {ticks} ticks: same bytes"
            )
        else:
            typer.echo(f"{entry.id}: differs: on record {told.canonical().decode()}, now {again.canonical().decode()}")
            good = False
    if not seen:
        raise InputError(f"the log has no record {id or f'of rollout {rollout}'}")
    return good

"""`serinus replay`: records judged again from what they carry, and the log's chain of hashes checked; offline."""

from __future__ import annotations

from typing import Annotated

import typer

from serinus.cli.inputs import InputError
from serinus.cli.log_lines import Lines
from serinus.cli.log_source import LinesOption, StoreOption, opened_log
from serinus.cli.nearest import did_you_mean
from serinus.cli.told import NO, printable
from serinus.log import Query, Reader


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
    with opened_log(store, lines) as log:
        good = (not verify or _chain_is_whole(log)) and (not (id or rollout) or _judged_the_same(id, rollout, log))
    if not good:
        raise typer.Exit(NO)


def _chain_is_whole(log: Reader | Lines) -> bool:
    found = list(log.damages())
    if not found and not log.known("rollout"):
        raise InputError("the log has no record: nothing can be said of it")
    for damage in found:
        typer.echo(printable(f"{damage.id}: {damage.what}"))
    if not found:
        typer.echo("every record is as it was written, and follows the one before")
    return not found


def _judged_the_same(id: str | None, rollout: str | None, log: Reader | Lines) -> bool:
    from pydantic import ValidationError

    from serinus.judge import StateError
    from serinus.rollout import Record, judge_again, judgement_on_record

    good, seen = True, 0
    for entry in log.all(Query(id=id, rollout=rollout)):
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
        what = f"record {id!r}" if id else f"record of rollout {rollout!r}"
        sought = rollout or str(id).partition("/")[0]
        raise InputError(f"the log has no {what}{did_you_mean(sought, log.known('rollout'))}")
    return good

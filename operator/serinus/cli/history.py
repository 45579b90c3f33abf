"""`serinus history`: the deployment log, by service, author, verdict and time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from serinus.cli.documents import Output, print_documents
from serinus.cli.inputs import InputError
from serinus.cli.log_source import LinesOption, StoreOption, opened_log
from serinus.cli.look import Look, look_of_output
from serinus.cli.moments import moment
from serinus.cli.nearest import did_you_mean
from serinus.cli.options import NoColorOption
from serinus.cli.table import Cell, Column, table
from serinus.cli.told import printable
from serinus.log import Figures, Heading, Query, figures_of

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def history(
    service: Annotated[str | None, typer.Argument(help="A CanaryDeployment's name. Absent: all.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="In this namespace only.")] = None,
    rollout: Annotated[str | None, typer.Option(help="Of this rollout only.")] = None,
    author: Annotated[str | None, typer.Option(help="Of releases that this person made.")] = None,
    actor: Annotated[str | None, typer.Option(help="Decided by: serinus, or who overrode.")] = None,
    verdict: Annotated[str | None, typer.Option(help="promote, hold, rollback, promoted, start, ...")] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 24h (ago), or 2026-11-21T14:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Before then: as since.")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many, the newest.")] = 50,
    figures: Annotated[bool, typer.Option("--figures", help="Summary figures of their rollouts instead.")] = False,
    store: StoreOption = None,
    lines: LinesOption = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="json: the whole records, one a line.")
    ] = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Show what was decided: the newest records of the deployment log, or figures of rollouts together."""
    now = datetime.now(UTC)
    query = Query(
        rollout=rollout,
        namespace=namespace,
        name=service,
        author=author,
        actor=actor,
        verdict=verdict,
        since=_spelt(since, "--since", now),
        until=_spelt(until, "--until", now),
    )
    with opened_log(store, lines) as log:
        if service is not None and service not in (names := log.known("name")):
            raise InputError(f"the log has no record of {service!r}{did_you_mean(service, names)}")
        if figures:
            _print_figures(figures_of(log.decisive(query)), output)
        elif output is Output.TABLE:
            _print_table(log.newest(query, most), look_of_output(no_color))
        else:
            _print_records(log.newest_lines(query, most), output)


def _spelt(text: str | None, option: str, now: datetime) -> str | None:
    """A time as the log spells it."""
    return None if text is None else moment(text, option, now).strftime(_TIME)


def _print_table(headings: Sequence[Heading], look: Look) -> None:
    if not headings:
        typer.echo("No such records.", err=True)
        return
    titles = ("TIME", "SERVICE", "RECORD", "VERDICT", "WEIGHT", "BY", "REASON")
    columns = [Column(title, right=title == "WEIGHT") for title in titles]
    for line in table(columns, [[Cell(text) for text in _texts(heading)] for heading in headings], look):
        typer.echo(line)


def _print_records(lines: Sequence[str], output: Output) -> None:
    if output is Output.JSON:
        for line in lines:
            typer.echo(line)
        return
    try:
        print_documents([json.loads(line) for line in lines], output)
    except ValueError as error:
        raise InputError("a record is not JSON; serinus replay --verify says which") from error


def _texts(heading: Heading) -> tuple[str, ...]:
    service = f"{heading.namespace}/{heading.name}"
    weights = _weights(heading)
    return (
        f"{heading.time[:19]}Z",
        service,
        heading.id,
        heading.verdict,
        weights,
        printable(heading.actor),
        heading.reason,
    )


def _weights(heading: Heading) -> str:
    if heading.weight_before == heading.weight_after:
        return str(heading.weight_after)
    return f"{heading.weight_before} → {heading.weight_after}"


def _print_figures(figures: Figures, output: Output) -> None:
    data = {**asdict(figures), "share_rolled_back": figures.share_rolled_back}
    if output is not Output.TABLE:
        print_documents([data], output)
        return
    share = figures.share_rolled_back
    typer.echo(f"rollouts                          {figures.rollouts}")
    typer.echo(f"promoted                          {figures.promoted}")
    typer.echo(f"rolled back                       {figures.rolled_back}{'' if share is None else f' ({share:.1%})'}")
    typer.echo(f"time to promote (median)          {_seconds(figures.seconds_to_promote)}")
    typer.echo(f"first bad tick to rollback (med.) {_seconds(figures.seconds_to_roll_back)}")
    typer.echo(f"overrides                         {figures.overrides}")
    typer.echo(f"  that contradicted the judge     {len(figures.contradictions)}")
    for each in figures.contradictions:
        typer.echo(
            f"    {each.rollout}: {each.actor} asked for {each.action} against {each.judge} "
            f"({each.because}): {each.end}"
        )


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"

"""`serinus judge`: the judge without a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.documents import Output, print_documents
from serinus.cli.inputs import name_of, read_text
from serinus.cli.told import NO

if TYPE_CHECKING:
    from serinus.cli.offline import RolloutVerdict


def judge(
    policy: Annotated[Path, typer.Option(metavar="POLICY.yaml", help="A CanaryPolicy manifest.")],
    evidence: Annotated[
        Path, typer.Option(metavar="FILE", help="JSON lines, one per metric and tick; - is standard input.")
    ] = Path("-"),
    planned_ticks: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many ticks a rollout was planned to last.")
    ] = 240,
    output: Annotated[Output, typer.Option("--output", "-o", help="json: one object per line.")] = Output.TABLE,
) -> None:
    """Judge rollouts from a file of evidence: the first rollback of each, else the verdict at its last tick.

    Exit code 1 if any is rolled back, 2 if the input cannot be used; then nothing is judged.
    """
    # Only here: numpy and pydantic would make every other command slower to start.
    from serinus.cli.evidence_file import parse_evidence
    from serinus.cli.offline import judge_rollouts
    from serinus.cli.policy_file import parse_policy

    spec = parse_policy(read_text(policy), name_of(policy))
    kinds = {metric.name: metric.effective_kind for metric in spec.metrics}
    lines = parse_evidence(read_text(evidence), name_of(evidence), kinds)
    results = judge_rollouts(spec, lines, planned_ticks)
    _PRINTERS[output](results)
    if any(result.verdict == "rollback" for result in results):
        raise typer.Exit(NO)


def _print_json(results: Sequence[RolloutVerdict]) -> None:
    for result in results:
        typer.echo(result.model_dump_json(exclude_none=True))


def _print_yaml(results: Sequence[RolloutVerdict]) -> None:
    print_documents([result.model_dump(mode="json", exclude_none=True) for result in results], Output.YAML)


def _print_table(results: Sequence[RolloutVerdict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("ROLLOUT", max_width=20, overflow="fold")
    table.add_column("VERDICT", no_wrap=True)
    table.add_column("TICK", justify="right", no_wrap=True)
    table.add_column("REASON")
    for result in results:
        table.add_row(result.rollout, result.verdict, str(result.tick), result.reason)
    Console(markup=False, emoji=False, highlight=False).print(table)


_PRINTERS = {Output.TABLE: _print_table, Output.JSON: _print_json, Output.YAML: _print_yaml}

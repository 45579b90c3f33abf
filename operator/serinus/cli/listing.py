"""`serinus list`: every CanaryDeployment in a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from serinus.cli.canaries import list_canaries
from serinus.cli.cluster import Cluster, find_access
from serinus.cli.completion import complete_name
from serinus.cli.documents import Output, print_documents, without_managed_fields
from serinus.cli.inputs import InputError
from serinus.cli.look import PLAIN, Look, Paint, look_of_output
from serinus.cli.nearest import did_you_mean
from serinus.cli.options import ContextOption, NamespaceOption, NoColorOption, OutputOption
from serinus.cli.table import Cell, Column, table
from serinus.cli.times import ago
from serinus.cli.told import printable

_REASON = 20  # characters: less of one says nothing
_PHASES = {
    "Promoted": Paint.GOOD,
    "RolledBack": Paint.BAD,
    "Failed": Paint.BAD,
    "Holding": Paint.WAIT,
    "Paused": Paint.WAIT,
    "Stalled": Paint.BAD,
}


@dataclass(frozen=True)
class Line:
    """What the list shows of a CanaryDeployment."""

    namespace: str
    name: str
    phase: str
    """The phase; Stalled where something is in the way."""
    step: str
    weight: str
    verdict: str
    next: str
    age: timedelta
    reason: str

    @classmethod
    def of(cls, found: Mapping[str, Any], now: datetime) -> "Line":
        """From an object as the API server has it. Not by the models: they take longer to import than this to run."""
        metadata, status = found["metadata"], found.get("status") or {}
        verdict, printed = status.get("verdict") or {}, status.get("printed") or {}
        stalled = next(
            (each for each in status.get("conditions") or [] if (each["type"], each["status"]) == ("Stalled", "True")),
            None,
        )
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            phase="Stalled" if stalled else status.get("phase") or "-",
            step=printed.get("step") or "-",
            weight=str(status.get("weight", "-")),
            verdict=verdict.get("verdict") or "-",
            next=printed.get("next") or "-",
            age=now - datetime.fromisoformat(metadata["creationTimestamp"]),
            reason=printable((stalled or verdict).get("message") or ""),
        )


def list_(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="These only. Absent: all.", autocompletion=complete_name),
    ] = None,
    namespace: NamespaceOption = None,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.")] = False,
    context: ContextOption = None,
    output: OutputOption = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """List CanaryDeployments: phase, step, weight, verdict, and why."""
    cluster = Cluster(find_access(context))
    where = None if everywhere else namespace or cluster.access.namespace
    found = _chosen(list_canaries(cluster, where), names or [], where)
    if output is not Output.TABLE:
        print_documents(map(without_managed_fields, found), output)
        return
    if not found:
        typer.echo(
            f"No CanaryDeployments {'in any namespace' if where is None else f'in the namespace {where}'}.", err=True
        )
        return
    lines = [Line.of(each, datetime.now(UTC)) for each in found]
    for text in render(lines, look_of_output(no_color), with_namespace=everywhere):
        print(text)


def render(lines: Sequence[Line], look: Look, *, with_namespace: bool) -> list[str]:
    """The table, with headings; without reasons where there is no room for one."""
    columns = [Column("NAMESPACE")] if with_namespace else []
    columns += [Column("NAME"), Column("PHASE"), Column("STEP"), Column("WEIGHT", right=True), Column("VERDICT")]
    columns += [Column("NEXT"), Column("AGE")]
    rows = [_cells(line, with_namespace=with_namespace) for line in lines]
    taken = max(map(len, table(columns, [row[:-1] for row in rows], PLAIN)))
    if look.width is not None and look.width - taken < _REASON:
        return table(columns, [row[:-1] for row in rows], replace(look, width=None))
    return table([*columns, Column("REASON")], rows, look)


def _cells(line: Line, *, with_namespace: bool) -> list[Cell]:
    texts = [line.name, line.phase, line.step, line.weight, line.verdict, line.next, ago(line.age), line.reason]
    painted = [Cell(text, _PHASES.get(text) if text == line.phase else None) for text in texts]
    return [Cell(line.namespace), *painted] if with_namespace else painted


def _chosen(found: list[Mapping[str, Any]], names: Sequence[str], where: str | None) -> list[Mapping[str, Any]]:
    """Those that are named. Raises InputError with the nearest names to one that is not there."""
    there = {each["metadata"]["name"] for each in found}
    for name in names:
        if name not in there:
            place = "any namespace" if where is None else f"the namespace {where}"
            raise InputError(f"there is no CanaryDeployment {name!r} in {place}{did_you_mean(name, there)}")
    return [each for each in found if each["metadata"]["name"] in names] if names else found

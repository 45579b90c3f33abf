"""`serinus wait`: a pipeline's last step, which ends when the rollout does."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.canaries import follow_canary
from serinus.cli.cluster import Cluster, find_access
from serinus.cli.options import ContextOption, NameArgument, NamespaceOption
from serinus.cli.told import NO, printable

if TYPE_CHECKING:
    from serinus.cli.outcome import Outcome


def wait(
    name: NameArgument,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The longest time to wait, for example 3h. Absent: none.")
    ] = None,
) -> None:
    """Wait until the rollout has ended: exit code 0 if it was promoted, 1 if it was rolled back or failed.

    Also 1 after the timeout, and when nothing comes of it: it is deleted, or for a minute the operator has not looked
    at it or says that something is in its way.
    """
    deadline = math.inf if timeout is None else time.monotonic() + _seconds(timeout)
    cluster = Cluster(find_access(context))
    where = namespace or cluster.access.namespace
    found = _wait(cluster, where, name, deadline)
    if found.told:
        typer.echo(printable(f"{where}/{name} is not promoted: {found.told}"))
    if not found.promoted:
        raise typer.Exit(NO)


def _wait(cluster: Cluster, namespace: str, name: str, deadline: float) -> Outcome:
    """Follow the rollout to its end, printing where it stands whenever that changes."""
    # Only here: the models would make a shell that completes a name wait for them.
    from serinus.cli.outcome import Outcome, hindrance, line, outcome
    from serinus.cli.seen import Seen

    printed, hindered_since = "", math.inf
    for each in follow_canary(cluster, namespace, name, deadline):
        now = time.monotonic()
        seen = None if each is None else Seen.of(each)
        if seen is not None and line(seen) != printed:
            printed = line(seen)
            typer.echo(printable(printed))
        hindered_since = min(hindered_since, now) if seen is not None and hindrance(seen) else math.inf
        if found := outcome(seen, max(0.0, now - hindered_since)):
            return found
        if now >= deadline:
            break
    return Outcome(promoted=False, told="the time is up; the rollout goes on")


def _seconds(timeout: str) -> float:
    from serinus.api import parse_duration

    try:
        return parse_duration(timeout).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--timeout") from error

"""`serinus promote`, `rollback`, `hold`, `resume`, `approve`: overrides, with a reason, on record (R27)."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from serinus.cli.canaries import create_override, find_canary, follow_override, who_am_i
from serinus.cli.cluster import Cluster, find_access
from serinus.cli.inputs import InputError
from serinus.cli.options import ContextOption, NameArgument, NamespaceOption, ReasonOption
from serinus.cli.told import NO, printable

_PATIENCE = 30.0  # seconds: an operator that runs answers within one


def promote(
    name: NameArgument,
    reason: ReasonOption,
    to: Annotated[
        int | None, typer.Option(min=100, max=100, metavar="100", help="100: all the way, not just one step.")
    ] = None,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
) -> None:
    """Promote to the next step, whatever the verdict; what is worse now is acknowledged.

    Exit code 1 if the operator refuses or does not answer.
    """
    _override(name, "promote", reason, namespace, context, {} if to is None else {"to": to})


def rollback(
    name: NameArgument, reason: ReasonOption, namespace: NamespaceOption = None, context: ContextOption = None
) -> None:
    """Roll back: all traffic to stable at once, also after the promotion.

    Exit code 1 if the operator refuses or does not answer.
    """
    _override(name, "rollback", reason, namespace, context)


def hold(
    name: NameArgument, reason: ReasonOption, namespace: NamespaceOption = None, context: ContextOption = None
) -> None:
    """Hold: no promotion until somebody resumes; a regression still rolls back.

    Exit code 1 if the operator refuses or does not answer.
    """
    _override(name, "hold", reason, namespace, context)


def resume(
    name: NameArgument, reason: ReasonOption, namespace: NamespaceOption = None, context: ContextOption = None
) -> None:
    """Resume a rollout that somebody holds.

    Exit code 1 if the operator refuses or does not answer.
    """
    _override(name, "resume", reason, namespace, context)


def approve(
    name: NameArgument, reason: ReasonOption, namespace: NamespaceOption = None, context: ContextOption = None
) -> None:
    """Approve that the step passes its gate, also in advance.

    Exit code 1 if the operator refuses or does not answer.
    """
    _override(name, "approve", reason, namespace, context)


def _override(
    name: str,
    action: str,
    reason: str,
    namespace: str | None,
    context: str | None,
    more: Mapping[str, int] | None = None,
) -> None:
    """Create the override for the rollout that is under way, and say what came of it."""
    cluster = Cluster(find_access(context))
    where = namespace or cluster.access.namespace
    found = find_canary(cluster, where, name)
    rollout = ((found.get("status") or {}).get("rollout") or {}).get("id")
    if rollout is None:
        raise InputError(f"{where}/{name} has had no rollout yet: there is nothing to {action}")
    spec = {"target": name, "rollout": rollout, "action": action, "reason": reason, "requestedBy": who_am_i(cluster)}
    created = create_override(cluster, where, {**spec, **(more or {})})["metadata"]["name"]
    answer = _answer(cluster, where, created)
    if answer is None:
        typer.echo(
            f"no answer yet from the operator: is it running? What comes of it: "
            f"kubectl get canaryoverride {created} -n {where} -o wide"
        )
        raise typer.Exit(NO)
    record = f" (record {answer['record']})" if answer.get("record") else ""
    typer.echo(printable(f"{where}/{name}: {answer['outcome']}: {answer['message']}{record}"))
    if answer["outcome"] != "Applied":
        raise typer.Exit(NO)


def _answer(cluster: Cluster, namespace: str, name: str) -> Mapping[str, Any] | None:
    """What came of the override; None if nobody says in time, or it has been deleted."""
    deadline = time.monotonic() + _PATIENCE
    for each in follow_override(cluster, namespace, name, deadline):
        if each is None or (answer := each.get("status")):
            return None if each is None else answer
        if time.monotonic() >= deadline:
            return None
    return None

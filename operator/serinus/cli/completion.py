"""What a shell, and kubectl for its plugin, ask for to complete a word."""

import os
import shlex
import sys

import typer

_NO_FILES = ":4"  # to kubectl: what is printed is all, file names do not fit


def complete_name(context: typer.Context, incomplete: str) -> list[str]:
    """The CanaryDeployments that begin so; none where the cluster cannot be asked."""
    from serinus.cli.canaries import list_canaries
    from serinus.cli.cluster import Cluster, ClusterError, find_access

    given = context.params
    try:
        access = find_access(given.get("context"))
        found = list_canaries(Cluster(access), given.get("namespace") or access.namespace)
    except ClusterError:
        return []
    names: list[str] = [each["metadata"]["name"] for each in found]
    return [name for name in names if name.startswith(incomplete)]


def complete_context(incomplete: str) -> list[str]:
    """The kubeconfig's contexts that begin so."""
    from serinus.cli.cluster import ClusterError, context_names

    try:
        return [name for name in context_names() if name.startswith(incomplete)]
    except ClusterError:
        return []


def kubectl() -> None:
    """Entry point of `kubectl_complete-canary`: kubectl runs it with the words so far, the last one incomplete."""
    from serinus.cli.main import app

    # The program's own completion for fish prints what kubectl wants: a word a line, with its help behind a tab.
    os.environ["_TYPER_COMPLETE_ARGS"] = shlex.join(["serinus", *sys.argv[1:]])
    os.environ["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    os.environ["_SERINUS_COMPLETE"] = "complete_fish"
    try:
        app(prog_name="serinus", complete_var="_SERINUS_COMPLETE")
    finally:
        typer.echo(_NO_FILES)

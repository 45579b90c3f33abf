"""`serinus status`: one rollout at a glance, once or as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from serinus.cli.canaries import find_canary, follow_canary
from serinus.cli.cluster import Cluster, find_access
from serinus.cli.documents import Output, print_documents, without_managed_fields
from serinus.cli.look import look_of_output
from serinus.cli.options import ContextOption, NameArgument, NamespaceOption, NoColorOption, OutputOption


def status(
    name: NameArgument,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on with every change, until the rollout has ended.")
    ] = False,
    output: OutputOption = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Show a rollout: ladder, weights, comparison, how far from either verdict, and what it is waiting for."""
    # Only here, and below: the models would make a shell that completes a name wait for them.
    from serinus.cli.screen import screen
    from serinus.cli.seen import Seen

    cluster = Cluster(find_access(context))
    where = namespace or cluster.access.namespace
    found = _until_the_end(cluster, where, name) if watch else iter([find_canary(cluster, where, name)])
    if output is not Output.TABLE:
        for each in found:
            print_documents([without_managed_fields(each)], output)
        return
    look = look_of_output(no_color)
    if watch and look.width is not None:
        _show_live(found, no_color)
        return
    for each in found:
        for line in screen(Seen.of(each), datetime.now(UTC), look):
            print(line)
        print(end="\n" if watch else "", flush=True)


def _until_the_end(cluster: Cluster, namespace: str, name: str) -> Iterator[Mapping[str, Any]]:
    """The object at each change, up to the one with which it has ended; nothing twice."""
    from serinus.cli.seen import Seen

    shown = None
    for each in follow_canary(cluster, namespace, name):
        if each is None:
            typer.echo(f"{namespace}/{name} was deleted.", err=True)
            return
        if (version := each["metadata"]["resourceVersion"]) != shown:
            yield each
        shown = version
        if Seen.of(each).has_ended:
            return


def _show_live(found: Iterator[Mapping[str, Any]], no_color: bool) -> None:
    """One screen that changes in place; its clocks go on while nothing else does."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from serinus.cli.screen import screen
    from serinus.cli.seen import Seen

    latest = Seen.of(next(found))

    def drawn() -> Text:
        return Text.from_ansi("\n".join(screen(latest, datetime.now(UTC), look_of_output(no_color))))

    with Live(
        get_renderable=drawn, console=Console(highlight=False), refresh_per_second=1, vertical_overflow="visible"
    ):
        for each in found:
            latest = Seen.of(each)

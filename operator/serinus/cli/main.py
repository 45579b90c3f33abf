"""`serinus`: one program, one command a file."""

import typer

from serinus import __version__
from serinus.cli.crds import crds
from serinus.cli.history import history
from serinus.cli.judge import judge
from serinus.cli.replay import replay
from serinus.cli.run import run

app = typer.Typer(
    name="serinus",
    help="A canary controller for Istio whose verdicts stay honest however often it looks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(run)
app.command()(history)
app.command()(judge)
app.command()(replay)
app.command()(crds)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"serinus {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """What every command shares."""


def main() -> None:
    """Entry point of the program."""
    app()


if __name__ == "__main__":
    main()

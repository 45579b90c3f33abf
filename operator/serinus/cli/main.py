"""`serinus`: one program, one command a file."""

import sys
from pathlib import Path

import typer

from serinus import __version__
from serinus.cli.deferred import defer, program

# Where each command lives, and how its help begins. A command is imported when it runs, not before.
COMMANDS = {
    "run": ("serinus.cli.run:run", "Run the operator until it is stopped"),
    "list": ("serinus.cli.listing:list_", "List CanaryDeployments"),
    "status": ("serinus.cli.status:status", "Show a rollout"),
    "report": ("serinus.cli.report:report", "Report all that is known of a rollout"),
    "promote": ("serinus.cli.override:promote", "Promote to the next step"),
    "rollback": ("serinus.cli.override:rollback", "Roll back"),
    "hold": ("serinus.cli.override:hold", "Hold"),
    "resume": ("serinus.cli.override:resume", "Resume a rollout that somebody holds"),
    "approve": ("serinus.cli.override:approve", "Approve that the step passes its gate"),
    "wait": ("serinus.cli.wait:wait", "Wait until the rollout has ended"),
    "history": ("serinus.cli.history:history", "Show what was decided"),
    "doctor": ("serinus.cli.doctor:doctor", "Look for what stands in a rollout's way"),
    "judge": ("serinus.cli.judge:judge", "Judge rollouts from a file of evidence"),
    "replay": ("serinus.cli.replay:replay", "Judge stored records again and compare bytes"),
    "plan": ("serinus.cli.plan:plan", "Plan a release before it begins"),
    "backtest": ("serinus.cli.backtest:backtest", "Replay a policy over Prometheus' history"),
    "crds": ("serinus.cli.crds:crds", "Print the CustomResourceDefinitions"),
}

app = program(
    name="serinus",
    help="A canary controller for Istio whose verdicts stay honest however often it looks.",
    no_args_is_help=True,
)
for _name, (_place, _summary) in COMMANDS.items():
    defer(app, _name, _place, _summary)


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
    """Entry point of the program: `serinus`, and `kubectl canary` where kubectl starts it as its plugin."""
    app(prog_name="kubectl canary" if Path(sys.argv[0]).name == "kubectl-canary" else "serinus")


if __name__ == "__main__":
    main()

"""`serinus plan`: what a release has to expect of its traffic, before it begins (R11)."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.documents import Output, print_documents
from serinus.cli.options import NoColorOption, OutputOption
from serinus.cli.told import NO

_SEED = 1  # the same question has the same answer


def plan(
    files: Annotated[
        list[Path],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="The CanaryDeployment, and the CanaryPolicy that it names."
        ),
    ],
    rps: Annotated[
        float, typer.Option(min=0.001, max=1e7, help="Requests a second of both arms together (of the audience).")
    ],
    error_rate: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of the stable's requests that fail: 0.01 is 1 %.")
    ],
    within: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The time that it may take, for example 4h: with advice.")
    ] = None,
    output: OutputOption = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Plan a release before it begins: what each step has to expect, simulated with the judge.

    Exit code 1 if it does not fit --within, 2 if the input cannot be used.
    """
    # Only here: the judge and the models would make every other command slower to start.
    import numpy as np

    from serinus.cli.inputs import InputError
    from serinus.cli.look import look_of_output
    from serinus.cli.plan_file import find_release
    from serinus.cli.plan_screen import screen
    from serinus.planning import PlanningError, Requests, advise, forecast

    limit = _duration(within)
    name, release = find_release(files)
    requests, rng = Requests(rps, error_rate), np.random.default_rng(_SEED)
    _tell("simulating rollouts ...")
    try:
        planned, unchanged = forecast(release, requests, rng)
    except PlanningError as error:
        raise InputError(f"{name}: {error}") from error
    advice = None
    if limit is not None:
        _tell("simulating what could be changed ...")
        advice = advise(release, requests, planned, unchanged, limit, rng)
    if output is Output.TABLE:
        for line in screen(name, release, requests, planned, advice, look_of_output(no_color)):
            typer.echo(line)
    else:
        document = planned.model_dump(mode="json", exclude_none=True)
        if advice is not None:
            document["advice"] = advice.model_dump(mode="json", exclude_none=True)
        print_documents([{"canaryDeployment": name, **document}], output)
    if advice is not None and not advice.fits:
        raise typer.Exit(NO)


def _duration(text: str | None) -> timedelta | None:
    from serinus.api import parse_duration
    from serinus.cli.inputs import InputError

    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"--within: {error}") from error


def _tell(what: str) -> None:
    """Only to somebody who waits at a terminal."""
    if sys.stderr.isatty():
        typer.echo(what, err=True)

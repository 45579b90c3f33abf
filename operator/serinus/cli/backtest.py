"""`serinus backtest`: a policy over what has been, the stable against itself (R25)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.documents import Output, print_documents
from serinus.cli.inputs import InputError
from serinus.cli.options import NoColorOption
from serinus.cli.prometheus_options import (
    CredentialsOption,
    FenceOption,
    FromOption,
    NamespaceOption,
    PrometheusOption,
    ReporterOption,
    ToOption,
)
from serinus.cli.run import Reporter
from serinus.cli.told import NO, tell_who_waits

if TYPE_CHECKING:
    from serinus.api import Metric, Regression
    from serinus.backtest import Window
    from serinus.cli.backtest_prometheus import Plan
    from serinus.cli.backtest_report import Report
    from serinus.cli.backtest_target import Target
    from serinus.cli.prometheus_connection import Server

_SEED = 1  # the same question has the same answer
_DAY = timedelta(days=1)
_LATE = timedelta(seconds=30)  # samples of a moment may come that late
_MOST = 100_000  # ticks in all: seventeen days of 15 s


class Form(StrEnum):
    """How the findings are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    PATCH = "patch"


def backtest(
    files: Annotated[
        list[Path],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="The CanaryPolicy; or the CanaryDeployment, and its CanaryPolicy."
        ),
    ],
    service: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="The service to look at. Absent: the CanaryDeployment's."),
    ] = None,
    namespace: NamespaceOption = None,
    since: FromOption = None,
    until: ToOption = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long each rollout lasts. Absent: as the ladder; of a policy alone 1h.",
        ),
    ] = None,
    prometheus: PrometheusOption = None,
    prometheus_credentials: CredentialsOption = None,
    reporter: ReporterOption = Reporter.DESTINATION,
    fence: FenceOption = None,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="patch: what is proposed, as YAML for kubectl patch.")
    ] = Form.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Replay a policy over Prometheus' history, the stable against itself: every rollback there is a false alarm.

    Reads the last day, or from --from to --to, in windows that each are a rollout, and tries other tolerances.

    Exit code 1 if more windows than the policy promises are rolled back, 2 if the input cannot be used.
    """
    # Only here: the judge and the models would make every other command slower to start.
    from serinus.cli.backtest_screen import screen
    from serinus.cli.backtest_target import find_target
    from serinus.cli.look import look_of_output
    from serinus.cli.manifests import Manifests
    from serinus.cli.moments import duration
    from serinus.cli.prometheus_connection import Server

    server = Server(prometheus, prometheus_credentials, reporter.value, fence)
    manifests = Manifests.read(files)
    length = None if window is None else duration(window, "--window")
    target = find_target(manifests, service, namespace, length, server)
    plan = _plan(target, since, until)
    report = _report(target, plan, _windows(target, plan, server))
    if output is Form.TABLE:
        for line in screen(report, look_of_output(no_color)):
            typer.echo(line)
    elif output is Form.PATCH:
        for line in report.patch():
            typer.echo(line)
    else:
        print_documents([report.document()], Output(output.value))
    if not report.is_quiet:
        raise typer.Exit(NO)


def _plan(target: Target, since: str | None, until: str | None) -> Plan:
    """The windows in the time that was asked for. Raises InputError."""
    from serinus.api import format_duration
    from serinus.cli.backtest_prometheus import Plan
    from serinus.cli.moments import moment

    now = datetime.now(UTC)
    end = min(moment(until, "--to", now) if until else now, now - _LATE)
    begin = moment(since, "--from", now) if since else end - _DAY
    plan = Plan.of(begin.timestamp(), end.timestamp(), target)
    told = f"from {begin:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}"
    if plan.number == 0:
        length = format_duration(target.window)
        raise InputError(f"{told} there is no window of {length}: take an earlier --from, or a shorter --window")
    if plan.number * plan.ticks > _MOST:
        raise InputError(
            f"{told} there are {plan.number * plan.ticks} ticks of {plan.seconds:g} s; at most {_MOST} are read: "
            "take a shorter time"
        )
    return plan


def _windows(target: Target, plan: Plan, server: Server) -> tuple[Window, ...]:
    """All windows, as Prometheus has them. Raises InputError."""
    import numpy as np

    from serinus.cli.backtest_prometheus import read_windows
    from serinus.metrics import CredentialsError, Prometheus

    def told(number: int) -> None:
        tell_who_waits(f"reading window {number} of {plan.number} ..." if number else "reading what was before ...")

    try:
        source = Prometheus(server.connection(target.prometheus))
    except CredentialsError as error:
        raise InputError(str(error)) from error
    return asyncio.run(read_windows(source, target, plan, np.random.default_rng(_SEED), told))


def _report(target: Target, plan: Plan, windows: tuple[Window, ...]) -> Report:
    """The windows judged. Raises InputError where nothing is known of any."""
    from serinus.backtest import Trial, propose, replayable
    from serinus.cli.backtest_report import Report

    audible = tuple(each for each in windows if not each.is_silent)
    if not audible:
        raise InputError(
            f"Prometheus knows nothing of {target.arms.host} in these {len(windows)} windows: are --service, "
            "--namespace and --reporter right, and does its history reach so far back?"
        )
    tell_who_waits("judging by the policy ...")
    return Report(
        target.holder,
        target.arms.host,
        target.window,
        plan.slots(plan.number - 1)[-1].end,
        Trial.of(target.policy, audible),
        tuple(
            propose(target.policy, each, audible, partial(_tell_of, each))
            for each in target.policy.metrics
            if replayable(each)
        ),
        tuple(each.split for each in audible),
        len(windows) - len(audible),
        tuple(each.name for each in target.policy.metrics if each.is_gating and not replayable(each)),
    )


def _tell_of(metric: Metric, tolerance: Regression) -> None:
    tell_who_waits(f"judging {metric.name} by {tolerance.written} ...")

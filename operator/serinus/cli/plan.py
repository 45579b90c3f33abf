"""`serinus plan`: what a release has to expect of its traffic, before it begins (R11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.documents import Output, print_documents
from serinus.cli.inputs import InputError
from serinus.cli.options import NoColorOption, OutputOption
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
    from serinus.api import CanaryDeployment
    from serinus.cli.plan_traffic import Seen
    from serinus.cli.prometheus_connection import Server
    from serinus.planning import Release

_SEED = 1  # the same question has the same answer


def plan(
    files: Annotated[
        list[Path],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="The CanaryDeployment, and the CanaryPolicy that it names."
        ),
    ],
    rps: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=1e7, help="Requests a second of both arms together (of the audience). Absent: Prometheus'."
        ),
    ] = None,
    error_rate: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.9, help="With --rps: share of the stable's requests that fail: 0.01 is 1 %."),
    ] = None,
    within: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The time that it may take, for example 4h: with advice.")
    ] = None,
    prometheus: PrometheusOption = None,
    prometheus_credentials: CredentialsOption = None,
    since: FromOption = None,
    until: ToOption = None,
    namespace: NamespaceOption = None,
    reporter: ReporterOption = Reporter.DESTINATION,
    fence: FenceOption = None,
    output: OutputOption = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Plan a release before it begins: what each step has to expect of the stable's traffic, simulated with the judge.

    The traffic is what Prometheus saw a day ago, at the hours that the release would take if it began now; or between
    --from and --to; or as --rps and --error-rate say.

    Exit code 1 if it does not fit --within, 2 if the input cannot be used.
    """
    # Only here: the judge and the models would make every other command slower to start.
    import numpy as np

    from serinus.cli.look import look_of_output
    from serinus.cli.manifests import Manifests
    from serinus.cli.moments import duration
    from serinus.cli.plan_screen import screen
    from serinus.cli.prometheus_connection import Server
    from serinus.planning import PlanningError, Release, Requests, advise, forecast

    limit = None if within is None else duration(within, "--within")
    manifests = Manifests.read(files)
    found = manifests.one_deployment()
    name, release = found.metadata.name, Release(found.spec, manifests.policy_of(found))
    seen = None
    if rps is not None and error_rate is not None:
        requests = Requests(rps, error_rate)
    elif rps is None and error_rate is None:
        server = Server(prometheus, prometheus_credentials, reporter.value, fence)
        seen = _seen(found, release, server, namespace, since, until)
        requests, release = seen.requests, replace(release, measured=frozenset(seen.requests.others))
    else:
        raise InputError("--rps and --error-rate are only of use together; without both Prometheus is asked")
    rng = np.random.default_rng(_SEED)
    tell_who_waits("simulating rollouts ...")
    try:
        planned, unchanged = forecast(release, requests, rng)
    except PlanningError as error:
        raise InputError(f"{name}: {error}") from error
    advice = None
    if limit is not None:
        tell_who_waits("simulating what could be changed ...")
        advice = advise(release, requests, planned, unchanged, limit, rng)
    if output is Output.TABLE:
        for line in screen(name, release, requests, planned, advice, look_of_output(no_color), seen):
            typer.echo(line)
    else:
        document = {"canaryDeployment": name, **planned.model_dump(mode="json", exclude_none=True)}
        if seen is not None:
            document["traffic"] = seen.document()
        if advice is not None:
            document["advice"] = advice.model_dump(mode="json", exclude_none=True)
        print_documents([document], output)
    if advice is not None and not advice.fits:
        raise typer.Exit(NO)


def _seen(
    found: CanaryDeployment,
    release: Release,
    server: Server,
    namespace: str | None,
    since: str | None,
    until: str | None,
) -> Seen:
    """The stable's traffic in the time that was asked for, else in the usual one."""
    from serinus.cli.moments import moment
    from serinus.cli.plan_traffic import Period, look_back, usual_period

    now = datetime.now(UTC)
    usual = usual_period(release, now)
    begin = moment(since, "--from", now) if since else usual.begin
    end = moment(until, "--to", now) if until else now if since else usual.end
    if begin >= end:
        raise InputError(f"--from {begin:%Y-%m-%dT%H:%MZ} must be before --to {end:%Y-%m-%dT%H:%MZ}")
    tell_who_waits("asking Prometheus ...")
    return look_back(found, release, server, namespace, Period(begin, end))

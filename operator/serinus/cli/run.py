"""`serinus run`: the operator."""

import asyncio
import logging
import re
import time
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from serinus.cli.inputs import InputError
from serinus.cli.log_source import StoreOption
from serinus.cli.replicas import address, lease_settings
from serinus.log import StoreError

_MIB = 2**20


class Reporter(StrEnum):
    """Whose Istio metrics are read."""

    SOURCE = "source"
    DESTINATION = "destination"
    WAYPOINT = "waypoint"


def run(
    prometheus: Annotated[
        str, typer.Option(envvar="SERINUS_PROMETHEUS", help="Address of the Prometheus that has Istio's metrics.")
    ],
    allow_prometheus: Annotated[
        list[str] | None, typer.Option(help="Another address that a CanaryDeployment may name; may be repeated.")
    ] = None,
    prometheus_credentials: Annotated[
        Path | None,
        typer.Option(
            envvar="SERINUS_PROMETHEUS_CREDENTIALS",
            help="Directory with a mounted Secret for that Prometheus: username and password, or token; ca.crt; "
            "tls.crt and tls.key; header.NAME.",
        ),
    ] = None,
    fence: Annotated[
        str | None,
        typer.Option(help="A label that every series must have, with the CanaryDeployment's namespace as its value."),
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", help="Watch this namespace only; may be repeated.")
    ] = None,
    reporter: Annotated[
        Reporter, typer.Option(help="Whose metrics are read unless a CanaryDeployment says otherwise.")
    ] = Reporter.DESTINATION,
    settle: Annotated[
        str,
        typer.Option(
            help="How long a change of subsets or weights takes to reach all proxies: istiod's PILOT_DEBOUNCE_MAX (10s "
            "unless set) and the time of a push."
        ),
    ] = "15s",
    allow_hook: Annotated[
        list[str] | None,
        typer.Option(help="Origin that hooks may name, for example https://release.example.com; may be repeated."),
    ] = None,
    store: StoreOption = None,
    listen: Annotated[
        str | None,
        typer.Option(envvar="SERINUS_LISTEN", help="Answer /healthz, /readyz and /metrics here: HOST:PORT."),
    ] = None,
    lease: Annotated[
        str | None,
        typer.Option(
            envvar="SERINUS_LEASE",
            help="NAMESPACE/NAME of the Leases by which replicas agree on who acts. In a pod: of its own namespace, "
            "unless given; elsewhere without it no other operator may run.",
        ),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            envvar="SERINUS_IDENTITY",
            help="Names this replica; one that comes after it with the same name goes on with its leases at once.",
        ),
    ] = None,
    shards: Annotated[
        int, typer.Option(min=1, max=64, help="Into how many parts replicas divide the work; the same in all.")
    ] = 1,
    lease_seconds: Annotated[
        int, typer.Option(min=3, max=300, help="How long after its last renewal a lease is another replica's.")
    ] = 15,
    records: Annotated[
        Path | None,
        typer.Option(envvar="SERINUS_RECORDS", help="Write records to this file too; it is rotated."),
    ] = None,
    records_size: Annotated[int, typer.Option(min=1, help="MiB that the file may have until it is rotated.")] = 100,
    records_kept: Annotated[int, typer.Option(min=1, help="How many rotated files are kept.")] = 5,
) -> None:
    """Run the operator until it is stopped. Records go to standard output as JSON lines, the log to standard error."""
    # The only command that needs the controller, and with it the Kubernetes client.
    from serinus.controller import NoCluster, RecordFile, Settings, operate
    from serinus.doctor import AT_BEGINNING
    from serinus.rollout import Timing

    _log_to_standard_error()
    settings = Settings(
        prometheus=_server(prometheus, "--prometheus"),
        reporter=reporter.value,
        allowed_prometheus=frozenset(_server(each, "--allow-prometheus") for each in allow_prometheus or ()),
        namespaces=tuple(namespace or ()),
        timing=Timing(settle=_duration(settle), lead=timedelta(seconds=0.25)),
        listen=address(listen),
        lease=lease_settings(lease, identity, shards, lease_seconds),
        records=RecordFile(records, size=records_size * _MIB, kept=records_kept) if records else None,
        prometheus_credentials=prometheus_credentials,
        fence=_label(fence),
        allowed_hooks=frozenset(allow_hook or ()),
        store=store,
    )
    try:
        asyncio.run(operate(settings, AT_BEGINNING))
    except (OSError, NoCluster, StoreError) as error:
        raise InputError(str(error)) from error


def _server(address: str, option: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise typer.BadParameter(f"{address!r} is not an address such as http://prometheus:9090", param_hint=option)
    return address


def _label(name: str | None) -> str | None:
    if name is not None and not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name):
        raise typer.BadParameter(f"{name!r} is not the name of a label in Prometheus", param_hint="--fence")
    return name


def _duration(text: str) -> timedelta:
    from serinus.api import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--settle") from error


def _log_to_standard_error() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )

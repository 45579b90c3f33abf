"""Options of the commands that read a Prometheus' past."""

from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.run import Reporter

PrometheusOption = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        envvar="SERINUS_PROMETHEUS",
        help="Address of the operator's Prometheus as this machine reaches it. Absent: what the manifest says.",
    ),
]
CredentialsOption = Annotated[
    Path | None,
    typer.Option(
        "--prometheus-credentials",
        envvar="SERINUS_PROMETHEUS_CREDENTIALS",
        help="Directory with credentials for it, as `serinus run` has it.",
    ),
]
ReporterOption = Annotated[
    Reporter,
    typer.Option("--reporter", help="As the operator's: whose metrics are read unless the manifest says otherwise."),
]
FenceOption = Annotated[
    str | None, typer.Option("--fence", help="As the operator's: a label that every series must have.")
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Read from then on: 24h (ago), or 2026-11-21T14:00Z.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Read until then: as --from.")]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The service's namespace. Absent: the manifest's.")
]

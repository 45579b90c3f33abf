"""`serinus doctor`: what stands in a rollout's way, before anything moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli.cluster import Cluster, find_access
from serinus.cli.documents import Output, print_documents
from serinus.cli.inputs import InputError, name_of, read_text
from serinus.cli.look import look_of_output
from serinus.cli.options import ContextOption, NamespaceOption, NoColorOption, OutputOption
from serinus.cli.run import Reporter
from serinus.cli.told import NO

if TYPE_CHECKING:
    from serinus.doctor import Facts, Finding, Look
    from serinus.metrics import Credentials, Inquiry
    from serinus.rollout import Plan


def doctor(
    file: Annotated[
        Path, typer.Option("--file", "-f", metavar="FILE", help="A CanaryDeployment manifest; - is standard input.")
    ],
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    prometheus: Annotated[
        str | None,
        typer.Option(
            envvar="SERINUS_PROMETHEUS",
            help="Address of the operator's Prometheus as this machine reaches it. Absent: what the manifest says.",
        ),
    ] = None,
    prometheus_credentials: Annotated[
        Path | None,
        typer.Option(
            envvar="SERINUS_PROMETHEUS_CREDENTIALS",
            help="Directory with credentials for it, as `serinus run` has it. Absent: the manifest's Secret, if any.",
        ),
    ] = None,
    reporter: Annotated[
        Reporter, typer.Option(help="As the operator's: whose metrics are read unless the manifest says otherwise.")
    ] = Reporter.DESTINATION,
    fence: Annotated[str | None, typer.Option(help="As the operator's: a label that every series must have.")] = None,
    operator: Annotated[
        str, typer.Option(metavar="NAMESPACE/NAME", help="The operator's service account.")
    ] = "serinus-system/serinus",
    output: OutputOption = Output.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Look for what stands in a rollout's way, or would spoil it, before anything moves: nothing is changed.

    Exit code 1 if there is an error, 2 if the file cannot be used or the cluster cannot be asked.
    """
    account = tuple(operator.split("/"))
    if len(account) != 2 or not all(account):
        raise typer.BadParameter("must be NAMESPACE/NAME", param_hint="--operator")
    # Only here, and after the file has been read: the operator's own functions take long to import.
    from serinus.cli.manifest_file import parse_canary

    manifest = parse_canary(read_text(file), name_of(file))
    from serinus.api import CanaryDeployment
    from serinus.cli.doctor_cluster import read_facts
    from serinus.cli.doctor_screen import screen
    from serinus.doctor import examine_cluster

    cluster = Cluster(find_access(context))
    owner = _placed(manifest, namespace, cluster.access.namespace)
    facts = read_facts(cluster, owner, CanaryDeployment.model_validate(owner).spec, (account[0], account[1]))
    server = _Server(prometheus, prometheus_credentials, reporter.value, fence)
    findings = [*examine_cluster(facts), *_evidence(facts, cluster, server)]
    if output is Output.TABLE:
        for line in screen(f"{facts.namespace}/{owner['metadata']['name']}", findings, look_of_output(no_color)):
            print(line)
    else:
        print_documents([_document(each) for each in findings], output)
    if any(each.level == "error" for each in findings):
        raise typer.Exit(NO)


@dataclass(frozen=True)
class _Server:
    """The Prometheus to ask, as the options say."""

    address: str | None
    credentials: Path | None
    reporter: str
    fence: str | None


def _placed(manifest: Mapping[str, Any], wanted: str | None, default: str) -> dict[str, Any]:
    """The manifest in its namespace. Raises InputError where it and the option name two."""
    given = manifest["metadata"].get("namespace")
    if given and wanted and given != wanted:
        raise InputError(f"the manifest is of namespace {given}, and --namespace says {wanted}: leave one of them out")
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": given or wanted or default}}


def _evidence(facts: Facts, cluster: Cluster, server: _Server) -> Iterator[Finding]:
    """What Prometheus says; nothing where the manifest's own findings leave nothing to ask."""
    from serinus.doctor import Finding, arms_of, error, examine_evidence, read_plan, warning
    from serinus.metrics import CredentialsError, QueryError, inquiries

    manifest = read_plan(facts)
    if isinstance(manifest, Finding):
        return
    plan = manifest.plan
    arms = arms_of(facts, plan, server.reporter, server.fence)
    if isinstance(arms, Finding):
        if arms.check == "evidence":  # the others have been found already
            yield arms
        return
    address = server.address or (plan.prometheus.address if plan.prometheus else None)
    if address is None:
        yield warning(
            "evidence",
            "Prometheus was not asked: no address is known here",
            why="Without its answers every step is held.",
            do="give --prometheus, for example http://127.0.0.1:9090 beside a kubectl port-forward",
        )
        return
    try:
        asked = inquiries(plan.policy, arms)
        look = _look(address, _credentials(plan, facts.namespace, cluster, server), asked)
    except QueryError as wrong:
        yield error("evidence", str(wrong), why="The metric can never be known.", do="correct the query")
    except CredentialsError as wrong:
        yield error("evidence", f"{address}: {wrong}", why="It cannot be asked so.", do="correct the credentials")
    else:
        yield from examine_evidence(plan, look)


def _look(address: str, credentials: Credentials, asked: Sequence[Inquiry]) -> Look:
    from serinus.cli.doctor_prometheus import ask
    from serinus.metrics import Connection

    return asyncio.run(ask(Connection(address, credentials), asked))


def _credentials(plan: Plan, namespace: str, cluster: Cluster, server: _Server) -> Credentials:
    from serinus.cli.doctor_prometheus import credentials_in
    from serinus.cli.prometheus_connection import credentials_from
    from serinus.metrics import Credentials

    if server.credentials is not None:
        return credentials_from(server.credentials)
    secret = plan.prometheus.secret_ref if plan.prometheus else None
    return credentials_in(cluster, namespace, secret.name) if secret else Credentials()


def _document(finding: Finding) -> dict[str, str]:
    return {name: value for name, value in asdict(finding).items() if value}

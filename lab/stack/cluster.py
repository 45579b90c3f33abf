"""The API server and its store: how each is started and when it is ready."""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from lab.processes import Launch, Processes, free_port
from lab.programs import Programs
from lab.programs.parts import ETCD, KUBE_APISERVER, KUBECTL
from lab.stack import web
from lab.stack.kubectl import Kubectl, write_kubeconfig
from lab.stack.templates import DIRECTORY

ADMIN = "admin"
AUDIT_LOG = "audit.log"
"""Where the API server notes, a JSON object a line, what ServiceAccounts ask of it."""


@dataclass(frozen=True)
class ApiServer:
    """A running API server."""

    url: str
    certificate: Path
    """By which a client knows it."""
    kubectl: Kubectl
    """As administrator."""


def start_etcd(programs: Programs, processes: Processes, directory: Path) -> str:
    """Start etcd; answers its address."""

    def plan() -> Launch:
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        command: list[str | Path] = [
            programs[ETCD],
            "--unsafe-no-fsync",  # nothing here outlives the process
            f"--data-dir={directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]
        return Launch("etcd", command, ready=lambda: web.answers_ok(f"{client}/health"), address=client)

    return processes.start(plan).address


def start_api_server(programs: Programs, processes: Processes, directory: Path, etcd: str) -> ApiServer:
    """Start kube-apiserver, with one administrator who has a token."""
    certificates = directory / "certificates"
    certificate, key = certificates / "apiserver.crt", certificates / "apiserver.key"
    token = secrets.token_hex(16)
    tokens = directory / "tokens.csv"
    tokens.write_text(f"{token},{ADMIN},{ADMIN},system:masters\n")

    def plan() -> Launch:
        port = free_port()
        url = f"https://127.0.0.1:{port}"
        command: list[str | Path] = [
            programs[KUBE_APISERVER],
            f"--etcd-servers={etcd}",
            f"--cert-dir={certificates}",  # it makes its own certificate there
            f"--secure-port={port}",
            "--bind-address=127.0.0.1",
            # Nobody outside is told of this server, and a machine without a network has no other address to tell.
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            # The key that it makes for its certificate also signs ServiceAccount tokens.
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            f"--audit-policy-file={DIRECTORY / 'audit.yaml'}",
            f"--audit-log-path={processes.logs / AUDIT_LOG}",
            # It waits for a controller that makes a default ServiceAccount in each namespace; there is none.
            "--disable-admission-plugins=ServiceAccount",
        ]

        def ready() -> bool:
            answer = web.get(f"{url}/readyz", {"Authorization": f"Bearer {token}"}, certificate)
            return answer is not None and answer.status == HTTPStatus.OK

        return Launch("kube-apiserver", command, ready, address=url)

    url = processes.start(plan).address
    kubeconfig = write_kubeconfig(directory / "kubeconfig", url, certificate, ADMIN, token)
    return ApiServer(url, certificate, Kubectl(programs[KUBECTL], kubeconfig))

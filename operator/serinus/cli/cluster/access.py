"""Where the API server is, how it is known, and whom it takes us for: from the kubeconfig, else from the pod."""

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from serinus.cli.cluster.errors import ClusterError
from serinus.cli.cluster.identity import Identity
from serinus.cli.cluster.kubeconfig import Entry, Kubeconfig, read_kubeconfig
from serinus.cli.cluster.plugin import ask_plugin
from serinus.cli.nearest import did_you_mean

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Server:
    """An API server, and what its certificate is checked with."""

    url: str
    authority: str | None = None
    """PEM. None: the machine's own authorities."""
    verify: bool = True
    name: str | None = None
    """The name in its certificate, where that is not the host's."""
    proxy: str | None = None


@dataclass(frozen=True)
class Access:
    """All that a connection needs."""

    context: str
    server: Server
    namespace: str
    """Where commands look unless told otherwise."""
    identify: Callable[[], Identity] = field(repr=False)
    """Who calls. Asked again when the API server no longer believes it: tokens expire."""


def find_access(context: str | None) -> Access:
    """The access that a context names, else the current one. Raises ClusterError with what is missing."""
    kubeconfig = read_kubeconfig()
    if kubeconfig is None:
        if "KUBERNETES_SERVICE_HOST" in os.environ and context is None:
            return _of_pod()
        raise ClusterError("no cluster: there is no kubeconfig; set KUBECONFIG or write ~/.kube/config")
    name = context or kubeconfig.current
    if name is None:
        raise ClusterError(
            "no cluster: the kubeconfig has no current-context; give --context, one of: " + _all(kubeconfig)
        )
    if name not in kubeconfig.contexts:
        raise ClusterError(f"the kubeconfig has no context {name!r}{did_you_mean(name, kubeconfig.contexts)}")
    chosen = kubeconfig.contexts[name]
    cluster = _named(kubeconfig.clusters, "cluster", chosen, name)
    user = _named(kubeconfig.users, "user", chosen, name) if chosen.text("user") else Entry({}, chosen.directory)
    return Access(
        context=name,
        server=_server(cluster, name),
        namespace=chosen.text("namespace") or "default",
        identify=partial(_identify, user, cluster, name),
    )


def _all(kubeconfig: Kubeconfig) -> str:
    return ", ".join(sorted(kubeconfig.contexts)) or "(there are none)"


def _named(entries: Mapping[str, Entry], kind: str, context: Entry, name: str) -> Entry:
    wanted = context.text(kind)
    if wanted is None or wanted not in entries:
        raise ClusterError(f"the kubeconfig's context {name!r} names the {kind} {wanted!r}, which it does not have")
    return entries[wanted]


def _server(cluster: Entry, context: str) -> Server:
    url = cluster.text("server")
    if url is None:
        raise ClusterError(f"the kubeconfig has no server for the context {context!r}")
    return Server(
        url=url.rstrip("/"),
        authority=_pem(cluster, "certificate-authority"),
        verify=not cluster.fields.get("insecure-skip-tls-verify"),
        name=cluster.text("tls-server-name"),
        proxy=cluster.text("proxy-url"),
    )


def _identify(user: Entry, cluster: Entry, context: str) -> Identity:
    """Who the user is, asked anew each time: files and plugins may have another token by now."""
    if user.fields.get("auth-provider"):
        raise ClusterError(f"the user of context {context!r} has an auth-provider, which kubectl gave up too: use exec")
    identity = Identity(token=user.text("token"))
    if user.text("tokenFile"):
        identity = Identity(token=_content(user, "tokenFile").strip())
    elif user.text("username") and identity.token is None:
        identity = Identity(password=(user.text("username") or "", user.text("password") or ""))
    elif isinstance(user.fields.get("exec"), dict):
        identity = ask_plugin(user.fields["exec"], user.directory, cluster)
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    return identity.certified(certificate, key).acting_as(user.fields)


def _pem(entry: Entry, field: str) -> str | None:
    """A certificate or key, from the field with its data or the file that it names."""
    data = entry.text(f"{field}-data")
    if data is None:
        return _content(entry, field) if entry.text(field) else None
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ClusterError(f"the kubeconfig's {field}-data is not base64 of a PEM") from error


def _content(entry: Entry, field: str) -> str:
    path = entry.path(field)
    assert path is not None, field
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ClusterError(f"the kubeconfig's {field} {path} cannot be read") from error


def _of_pod() -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    account = Entry({"tokenFile": "token", "certificate-authority": "ca.crt", "namespace": "namespace"}, _POD)
    return Access(
        context="in-cluster",
        server=Server(f"https://{address}:{port}", authority=_content(account, "certificate-authority")),
        namespace=_content(account, "namespace").strip(),
        identify=lambda: Identity(token=_content(account, "tokenFile").strip()),
    )

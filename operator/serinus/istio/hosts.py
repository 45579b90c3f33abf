"""Names of hosts and objects as Istio reads them."""

from typing import Any


def canonical_host(host: str, namespace: str) -> str:
    """The fully qualified form of `host` in an object of `namespace`: a name without dots is a service there."""
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"


def names_of(host: str, namespace: str) -> frozenset[str]:
    """What an object of `namespace` may call the fully qualified `host`: the inverse of canonical_host."""
    short = host.removesuffix(f".{namespace}.svc.cluster.local")
    return frozenset({host} if "." in short else {host, short})


def key_of(istio_object: dict[str, Any]) -> tuple[str, str]:
    """Namespace and name of an object."""
    metadata = istio_object["metadata"]
    return metadata["namespace"], metadata["name"]

"""Host names as Istio reads them."""


def canonical_host(host: str, namespace: str) -> str:
    """The fully qualified form of `host` in an object of `namespace`: a name without dots is a service there."""
    return host if "." in host else f"{host}.{namespace}.svc.cluster.local"

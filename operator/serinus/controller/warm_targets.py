"""Where a warm-up's requests go: the addresses of the canary's endpoints themselves, past every route."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from serinus.controller.backends import Backend, backend_of
from serinus.controller.cache import Cache, Object
from serinus.rollout import Obstacle

_FIELD = "spec.warmUp.requests"


@dataclass(frozen=True, slots=True)
class Target:
    """A ready endpoint: what people call it, its IP address, and where it listens, by the service's port.

    `usual`: the service's port that is meant where none is named.
    """

    name: str
    address: str
    ports: Mapping[int, int]
    usual: int

    def origin(self, port: int | None) -> str | None:
        """Scheme, host and port where it serves one of the service's ports; None where it does not."""
        listens = self.ports.get(self.usual if port is None else port)
        host = f"[{self.address}]" if ":" in self.address else self.address
        return None if listens is None else f"http://{host}:{listens}"


def warm_targets(
    host: str,
    namespace: str,
    labels: Mapping[str, str] | None,
    cache: Cache,
    ports: Collection[int | None],
    allowed: Collection[str],
) -> tuple[Target, ...]:
    """The ready endpoints of `host` with the labels of the canary's subset, and what they serve `ports` at.

    Raises Obstacle where nobody knows them, and for an origin that somebody wrote into a workload entry and that is not
    among those `allowed` (I10): only the address of a pod is one that nobody can choose.
    """
    backend = backend_of(host, namespace, cache)
    if backend is None or labels is None:
        told = f"nobody can tell the endpoints of {host}, which is no service of this cluster with a selector"
        raise Obstacle("WarmUpImpossible", f"{_FIELD}: {told}; remove the requests")
    found = tuple(_target(each, backend) for each in backend.ready(labels, cache))
    for target in found:
        for port in ports:
            origin = target.origin(port)
            if origin is None:
                told = f"{target.name} does not serve port {port or target.usual} of {host}"
                raise Obstacle("WarmUpImpossible", f"{_FIELD}: {told}")
            if backend.kind == "workloadentries" and origin not in allowed:
                told = f"{origin} of {target.name} is not among the origins that this operator may ask"
                raise Obstacle("WarmUpNotAllowed", f"{_FIELD}: {told} (serinus run --allow-hook)")
    return found


def _target(endpoint: Object, backend: Backend) -> Target:
    is_pod = backend.kind == "pods"
    address = endpoint["address"] if is_pod else endpoint["spec"].get("address", "")
    name = f"{'pod' if is_pod else 'WorkloadEntry'} {endpoint['metadata']['name']}"
    try:
        ip_address(address)
    except ValueError:
        raise Obstacle("WarmUpImpossible", f"{_FIELD}: {address!r} of {name} is no IP address") from None
    listens = {_number(port): _listens(port, endpoint, is_pod=is_pod) for port in backend.ports}
    return Target(
        name=name,
        address=address,
        ports={number: port for number, port in listens.items() if port is not None},
        usual=next((_number(port) for port in backend.ports if _is_http(port)), next(iter(listens), 0)),
    )


def _listens(port: Object, endpoint: Object, *, is_pod: bool) -> int | None:
    """Where an endpoint serves a port of the service's; None where it does not say."""
    target: Any = port.get("targetPort") or _number(port)
    if is_pod:
        named: int | None = endpoint["ports"].get(target) if isinstance(target, str) else int(target)
        return named
    return int((endpoint["spec"].get("ports") or {}).get(port.get("name")) or target)


def _number(port: Object) -> int:
    """A Service's port, or a ServiceEntry's."""
    return int(port.get("port") or port.get("number") or 0)


def _is_http(port: Object) -> bool:
    told = (port.get("name"), port.get("appProtocol"), port.get("protocol"))
    return any(str(each).lower().startswith("http") for each in told)

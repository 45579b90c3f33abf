"""TCP and TLS routes split connections, through the real Envoy; and are at the end what they were."""

import asyncio
import contextlib
import math
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest

from lab.stack import Lab
from lab.stack.mesh import hold_port
from lab.stack.templates import render
from lab.waiting import POLL
from serinus.istio import Split
from tests.istio.conftest import Object, Routed

pytestmark = pytest.mark.mesh

CONNECTIONS = 200
KIND = {"apiVersion": "networking.istio.io/v1"}
ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANYBODY.check_hostname, ANYBODY.verify_mode = False, ssl.CERT_NONE
SERVERS: dict[str, Object] = {"tcp": {}, "tls": {"tls": {"mode": "PASSTHROUGH"}}}


@dataclass(frozen=True)
class Connections:
    """A VirtualService whose one route carries connections of this protocol from a port of the gateway."""

    routed: Routed
    protocol: str
    port: int
    sni: str

    async def versions(self, count: int) -> list[str]:
        """Which version answered each of so many connections; "" for one that was not accepted."""
        found: list[str] = []
        async with asyncio.timeout(120):
            while len(found) < count:
                found += await asyncio.gather(*(self._version() for _ in range(20)))
        return found

    async def _version(self) -> str:
        tls = {"ssl": ANYBODY, "server_hostname": self.sni} if self.protocol == "tls" else {}
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **tls)
            answer = (await reader.read()).decode()
            writer.close()
        except OSError:  # the listener comes with the route
            await asyncio.sleep(POLL)
            return ""
        return answer

    async def until_only(self, *expected: str) -> None:
        """Until these versions answer, and no others."""
        async with asyncio.timeout(60):
            while set(await self.versions(40)) != set(expected):
                pass


async def tell(version: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What each version does with a connection."""
    writer.write(version.encode())
    await writer.drain()
    writer.close()


@pytest.fixture(params=SERVERS)
async def connections(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[Connections]:
    """Both versions of a service, and a route to the stable alone, by a port of its own."""
    protocol: str = request.param
    service = lab.add_service(f"{protocol}-arms")
    context = None
    if protocol == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificates = lab.directory / "certificates"  # the API server's will do
        context.load_cert_chain(certificates / "apiserver.crt", certificates / "apiserver.key")
    async with contextlib.AsyncExitStack() as stack:
        for version in ("v1", "v2"):
            server = await asyncio.start_server(partial(tell, version), "127.0.0.1", 0, ssl=context)
            await stack.enter_async_context(server)
            port = server.sockets[0].getsockname()[1]
            name = f"{service.name}-{version}"
            lab.apply(render("workload.yaml", name=name, service=service.name, version=version, port=port))
        port = stack.enter_context(hold_port()).getsockname()[1]
        names = {"metadata": {"name": f"{protocol}-edge", "namespace": lab.namespace}}
        server_port = {"number": port, "name": protocol, "protocol": protocol.upper()}
        listener = {"port": server_port, "hosts": ["*"], "bind": "127.0.0.1", **SERVERS[protocol]}
        gateway = {**KIND, "kind": "Gateway", **names, "spec": {"servers": [listener]}}
        match = {"port": port} | ({"sniHosts": [service.host]} if protocol == "tls" else {})
        route = {"match": [match], "route": [{"destination": {"host": service.mesh_host, "subset": "stable"}}]}
        spec = {"hosts": [service.host], "gateways": [f"{protocol}-edge"], protocol: [route]}
        lab.apply([gateway, {**KIND, "kind": "VirtualService", **names, "spec": spec}])
        yield Connections(
            Routed(lab, f"{protocol}-edge", lab.namespace, service.mesh_host), protocol, port, service.host
        )
        for kind in ("virtualservice", "gateway"):
            lab.kubectl("delete", kind, f"{protocol}-edge", f"--namespace={lab.namespace}")


async def test_connections_are_split_by_the_weights_and_the_route_is_what_it_was_at_the_end_I5(
    connections: Connections,
) -> None:
    await connections.until_only("v1")
    before = connections.routed.read()["spec"]
    connections.routed.split(Split("canary", 25))
    await connections.until_only("v1", "v2")
    found = await connections.versions(CONNECTIONS)
    assert abs(found.count("v2") - CONNECTIONS * 0.25) <= 5 * math.sqrt(CONNECTIONS * 0.25 * 0.75)
    connections.routed.split(Split("canary", 100), "r/2-promote")
    await connections.until_only("v2")
    connections.routed.split(Split("canary", 0), "r/3-rollback")
    await connections.until_only("v1")
    before[connections.protocol][0]["route"][0]["weight"] = 100
    assert connections.routed.read()["spec"] == before

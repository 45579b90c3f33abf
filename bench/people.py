"""`make bench-people`: how soon a person's rollback takes effect, and how soon a decision has reached a channel.

On a real API server, with a Prometheus that takes every query and never answers: neither waits for it.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from kubernetes import client, config

from bench.scale.cluster import Cluster, cluster
from lab.demo.figures import Figure, tally
from lab.errors import LabError
from lab.waiting import wait_until

OUT = Path("bench-people.json")
NAMESPACE = "people"

_LOOK = 0.005  # seconds between two looks at a weight
_PATIENCE = 120.0
_ISTIO = ("networking.istio.io", "v1")
_SERINUS = ("serinus.io", "v1alpha1")

Object = dict[str, Any]


def main() -> int:
    """Measure: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=20, help="how many are rolled back, one after another")
    count = parser.parse_args().rollouts
    receiver = Receiver()
    try:
        with hung_prometheus() as prometheus, cluster(prometheus) as place:
            figures = list(measure(place, receiver, count))
    except LabError as error:
        print(f"The benchmark failed: {error}")
        return 1
    finally:
        receiver.close()
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2, ensure_ascii=False) + "\n")
    print("\n".join(figure.line for figure in figures))
    ending, code = tally(figures)
    print(ending)
    return code


def measure(place: Cluster, receiver: "Receiver", count: int) -> Iterator[Figure]:
    """So many rollouts, rolled back by a person one after another while their queries hang."""
    api = _client(place)
    room = Room(client.CustomObjectsApi(api))
    client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    place.lab.apply(_rights(receiver.origin))
    names = [f"service-{number}" for number in range(count)]
    for name in names:
        room.create(name)
    place.start_operator([f"--namespace={NAMESPACE}", f"--allow-hook={receiver.origin}", "--settle=1s"])
    wait_until(lambda: all(room.weight(name) == 50 for name in names), "the first steps", _PATIENCE)
    wait_until(lambda: receiver.kinds.count("started") == count, "the messages of the first steps", _PATIENCE)
    orders = Room(client.CustomObjectsApi(_client(place, user="jo")))
    times = [_rolled_back(room, orders, name) for name in names]
    wait_until(lambda: receiver.kinds.count("rolledBack") == count, "the messages of the rollbacks", _PATIENCE)
    delays = receiver.delays("rolledBack")
    yield Figure("rollback by order, median", median(times), "s", at_most=1)
    yield Figure("rollback by order, longest", max(times), "s", at_most=1)
    yield Figure("decision to message, median", median(delays), "s", at_most=2)
    yield Figure("decision to message, longest", max(delays), "s", at_most=2)


@dataclass(frozen=True)
class Room:
    """The objects of the rollouts, as one user sees them."""

    objects: client.CustomObjectsApi

    def create(self, name: str) -> None:
        """A service whose rollout stays at its first step."""
        subsets = [
            {"name": arm, "labels": {"version": version}} for arm, version in (("stable", "v1"), ("canary", "v2"))
        ]
        route = [
            {"destination": {"host": name, "subset": arm}, "weight": weight}
            for arm, weight in (("stable", 100), ("canary", 0))
        ]
        spec = {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {"host": name, "virtualServices": [{"name": name}], "destinationRule": name},
            "ladder": [{"weight": 50, "window": "1h"}, {"weight": 100, "window": "0s"}],
            "interval": "1s",
            "notify": [{"secretRef": {"name": "channel"}}],
        }
        self._create(_ISTIO, "DestinationRule", name, {"host": name, "subsets": subsets})
        self._create(_ISTIO, "VirtualService", name, {"hosts": [name], "http": [{"route": route}]})
        self._create(_SERINUS, "CanaryDeployment", name, spec)

    def order(self, name: str, rollout: str) -> None:
        """Roll it back."""
        order = {"target": name, "rollout": rollout, "action": "rollback", "requestedBy": "jo"}
        self._create(_SERINUS, "CanaryOverride", f"{name}-back", order | {"reason": "the users call us"})

    def weight(self, name: str) -> int:
        """The canary's percentage on the mesh."""
        found: Any = self.objects.get_namespaced_custom_object(*_ISTIO, NAMESPACE, "virtualservices", name)
        return int(found["spec"]["http"][0]["route"][1].get("weight", 0))

    def rollout(self, name: str) -> str:
        """Id of the rollout that is under way."""
        found: Any = self.objects.get_namespaced_custom_object(*_SERINUS, NAMESPACE, "canarydeployments", name)
        return str(found["status"]["rollout"]["id"])

    def _create(self, version: tuple[str, str], kind: str, name: str, spec: Object) -> None:
        body = {"apiVersion": "/".join(version), "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.objects.create_namespaced_custom_object(*version, NAMESPACE, f"{kind.lower()}s", body)


def _rolled_back(room: Room, orders: Room, name: str) -> float:
    """Seconds from a person's order to the weights in the VirtualService."""
    rollout = room.rollout(name)
    began = time.perf_counter()
    orders.order(name, rollout)
    while room.weight(name):
        if time.perf_counter() - began > _PATIENCE:
            raise LabError(f"{name} was not rolled back within {_PATIENCE:.0f} s")
        time.sleep(_LOOK)
    return time.perf_counter() - began


def _client(place: Cluster, user: str | None = None) -> Any:
    """Of the API server, for somebody who may do everything, or on behalf of a user."""
    load: Any = config.new_client_from_config
    api = load(str(place.lab.kubeconfig))
    if user is not None:
        api.set_default_header("Impersonate-User", user)
    return api


def _rights(origin: str) -> list[Object]:
    """What lets jo override and the operator read the channel's Secret; and the Secret."""

    def bind(role: str, subject: Object) -> Object:
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        }

    operator = {"kind": "ServiceAccount", "name": "serinus", "namespace": "serinus-system"}
    channel = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "channel", "namespace": NAMESPACE},
        "stringData": {"webhook": f"{origin}/"},
    }
    jo = {"kind": "User", "name": "jo", "apiGroup": "rbac.authorization.k8s.io"}
    return [bind("serinus-override", jo), bind("serinus-secrets", operator), channel]


@dataclass
class Receiver:
    """A channel on this machine that notes when each message came."""

    came: list[tuple[float, Object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._take))
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def kinds(self) -> list[str]:
        """What the messages were about."""
        return [message["kind"] for _, message in self.came]

    def delays(self, kind: str) -> list[float]:
        """Seconds from each decision of a kind to its message."""
        return [
            at - datetime.fromisoformat(message["time"]).timestamp()
            for at, message in self.came
            if message["kind"] == kind
        ]

    def _take(self, body: bytes) -> None:
        now = time.time()
        self.came.extend((now, message) for message in json.loads(body)["messages"])


def _handler(take: Callable[[bytes], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take the messages."""
            take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


@contextmanager
def hung_prometheus() -> Iterator[str]:
    """Address of a server that takes every request and never answers."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Never answer."""
            over.wait()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    raise SystemExit(main())

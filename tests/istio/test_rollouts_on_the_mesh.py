"""Whole rollouts by the operator: audience, cohort, several VirtualServices, another namespace; undone at the end."""

import asyncio
import contextlib
import copy
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from lab.demo.stage import start_version
from lab.processes import Process
from lab.stack import Lab
from lab.stack.service import Service
from lab.waiting import wait_until
from serinus.cohort import in_canary
from serinus.istio import ADDED_ANNOTATION, ALLOW_FROM_ANNOTATION, DECISION_ANNOTATION
from tests.istio.users import ask

pytestmark = pytest.mark.mesh

Object = dict[str, Any]

INSIDE, OUTSIDE = {"x-internal": "true"}, {"x-internal": "false"}
USERS = [f"user-{number}" for number in range(200)]


@pytest.fixture
def operator(lab: Lab) -> Iterator[Process]:
    process = lab.start_operator()
    yield process
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log
    assert "refused" not in log, "the shipped RBAC lacks something: " + log


class Released:
    """A service whose users come by two hosts: by the VirtualService of its own, and by one of another namespace."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab = lab
        self.name = name
        self.elsewhere = f"edge-{name}"
        self.hosts = (Service(name).host, f"edge.{Service(name).host}")

    def read(self, kind: str, namespace: str = "demo") -> Object:
        found: Object = json.loads(
            self.lab.kubectl("get", kind, self.name, f"--namespace={namespace}", "--output=json")
        )
        return found

    def filters(self) -> list[str]:
        """The names of all EnvoyFilters that are there for it."""
        names = self.lab.kubectl("get", "envoyfilters", "--namespace=demo", "--output=name").split()
        return [name for name in names if name.endswith(f"serinus-{self.name}")]

    def services(self) -> tuple[Object, Object]:
        return self.read("virtualservice"), self.read("virtualservice", self.elsewhere)

    def status(self) -> Object:
        found: Object = self.read("canarydeployment").get("status", {})
        return found

    def stalled(self) -> tuple[str, str]:
        """Reason and message of condition Stalled, where it is True."""
        for condition in self.status().get("conditions", []):
            if condition["type"] == "Stalled" and condition["status"] == "True":
                return condition["reason"], condition["message"]
        return "", ""

    def apply(self, **traffic: Any) -> None:
        spec = {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {
                "host": f"{self.name}.demo.svc.cluster.local",
                "virtualServices": [{"name": self.name}, {"name": f"{self.elsewhere}/{self.name}"}],
                "destinationRule": self.name,
                **traffic,
            },
            "ladder": [{"weight": 50, "window": "6s"}, {"weight": 100, "window": "0s"}],
            "interval": "2s",
            "reportEvery": "2s",
            "prometheus": {"reporter": "source"},
        }
        manifest = {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment"}
        self.lab.apply([{**manifest, "metadata": {"name": self.name, "namespace": "demo"}, "spec": spec}])

    async def arms(self, host: str, headers: dict[str, str]) -> list[str]:
        answers = await ask(self.lab.gateway_url, host, [{**headers, "x-user-id": user} for user in USERS])
        return [answer.version for answer in answers]

    async def until(self, condition: Callable[[], Any], what: str, at_most: float = 30) -> None:
        await asyncio.to_thread(wait_until, condition, what, at_most)


@pytest.fixture
def released(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Released]:
    """Named after the test; its VirtualService in another namespace has stable alone, and allows nobody."""
    found = Released(lab, f"svc-{zlib.crc32(request.node.name.encode())}")
    lab.add_service(found.name)
    lab.kubectl("create", "namespace", found.elsewhere)
    edge = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": found.name, "namespace": found.elsewhere},
        "spec": {
            "hosts": [found.hosts[1]],
            "gateways": ["demo/ingress"],
            "http": [
                {
                    "match": [{"uri": {"prefix": "/predict"}}],
                    "timeout": "7s",
                    "route": [{"destination": {"host": f"{found.name}.demo.svc.cluster.local", "subset": "stable"}}],
                }
            ],
        },
    }
    lab.apply([edge])
    yield found
    lab.kubectl("delete", "canarydeployment", found.name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    lab.kubectl("delete", "namespace", found.elsewhere, "--wait=false")


@contextlib.asynccontextmanager
async def users(released: Released) -> AsyncIterator[None]:
    """Users of both hosts, half of them inside the audience, until left."""

    async def send() -> None:
        while True:
            for host in released.hosts:
                for headers in (INSIDE, OUTSIDE):
                    await released.arms(host, headers)

    task = asyncio.create_task(send())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def allow(released: Released) -> None:
    annotation = f"{ALLOW_FROM_ANNOTATION}=shop, demo"
    released.lab.kubectl("annotate", "virtualservice", released.name, f"--namespace={released.elsewhere}", annotation)


def owners(service: Object) -> Object:
    """Without weights and the annotations that are about us."""
    rest = copy.deepcopy(service)
    for route in rest["spec"]["http"]:
        for entry in route["route"]:
            entry.pop("weight", None)
    annotations = rest["metadata"].get("annotations", {})
    for ours in (DECISION_ANNOTATION, ADDED_ANNOTATION, ALLOW_FROM_ANNOTATION):
        annotations.pop(ours, None)
    return {"spec": rest["spec"], "annotations": annotations}


async def test_audience_and_cohort_over_two_namespaces_until_it_is_everybodys_R14_R16_I10(
    lab: Lab, operator: Process, released: Released
) -> None:
    workloads = [start_version(lab, released.name, version, error_rate=0.0) for version in ("v1", "v2")]
    before = released.services()
    released.apply(cohort={"header": "x-user-id"}, audience=[{"header": "x-internal", "exact": "true"}])
    await released.until(lambda: released.stalled()[0] == "VirtualServiceNotAllowed", "the refusal")
    assert f"VirtualService {released.elsewhere}/{released.name} does not allow" in released.stalled()[1]
    assert released.services() == before
    allow(released)
    await released.until(lambda: released.status().get("weight") == 50, "the first step")
    expected = ["v2" if in_canary(user, released.status()["rollout"]["id"], 50) else "v1" for user in USERS]
    assert released.filters()
    for host in released.hosts:
        await released.until(lambda host=host: asyncio.run(released.arms(host, INSIDE)) == expected, f"{host}'s cohort")
        assert set(await released.arms(host, OUTSIDE)) == {"v1"}
    async with users(released):
        await released.until(lambda: released.status().get("phase") == "Promoted", "the promotion", at_most=120)
    await released.until(lambda: not released.filters(), "the EnvoyFilter to go")
    own, edge = released.services()
    added = copy.deepcopy(before[1])
    arm = added["spec"]["http"][0]["route"][0]
    added["spec"]["http"][0]["route"].append({**arm, "destination": {**arm["destination"], "subset": "canary"}})
    assert (owners(own), owners(edge)) == (owners(before[0]), owners(added))
    for host in released.hosts:
        await released.until(lambda host=host: set(asyncio.run(released.arms(host, OUTSIDE))) == {"v2"}, "everybody")
    for workload in workloads:
        workload.stop()


async def test_a_bad_canary_leaves_no_trace_in_any_virtual_service_I5(
    lab: Lab, operator: Process, released: Released
) -> None:
    workloads = [start_version(lab, released.name, "v1", 0.0), start_version(lab, released.name, "v2", 0.5)]
    allow(released)
    before = released.services()
    released.apply(cohort={"cookie": "arm", "by": "setCookie"})
    async with users(released):
        await released.until(lambda: released.status().get("phase") == "RolledBack", "the rollback", at_most=60)
    after = released.services()
    assert [owners(service) for service in after] == [owners(service) for service in before]
    assert [entry["weight"] for entry in after[0]["spec"]["http"][0]["route"]] == [100, 0]
    for workload in workloads:
        workload.stop()

"""After a promotion the labels behind both subsets change hands, in a mesh that is slow to pass changes on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from lab.demo.stage import start_version
from lab.processes import Process
from lab.stack import Lab
from lab.stack.service import Service
from lab.waiting import wait_until

pytestmark = pytest.mark.mesh

Object = dict[str, Any]

DEBOUNCE = 2.0
"""Seconds that istiod waits for more changes; the lab's own is a hundredth of it."""
USERS, PAUSE = 10, 0.05
"""So many users, each with so many seconds between an answer and the next request: up to 200 requests a second."""


@dataclass(frozen=True)
class Answer:
    """When a request was sent (seconds since the epoch), and what came back; status 0: nothing."""

    sent: float
    status: int
    version: str


@dataclass
class Users:
    """Those who use the service all the time, and every answer that they got."""

    url: str
    host: str
    answers: list[Answer] = field(default_factory=list)

    async def ask_on(self) -> None:
        """One user, until cancelled."""
        headers = {"Host": self.host, "Content-Type": "application/json"}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            while True:
                sent = datetime.now().timestamp()
                try:
                    async with session.post(self.url, data=b'{"text": "what a great day"}', headers=headers) as answer:
                        await answer.read()
                        found = Answer(sent, answer.status, answer.headers.get("x-version", ""))
                except aiohttp.ClientError:
                    found = Answer(sent, 0, "")
                self.answers.append(found)
                await asyncio.sleep(PAUSE)

    @contextlib.asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """All of them, until left."""
        tasks = [asyncio.create_task(self.ask_on()) for _ in range(USERS)]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def all_have(self, version: str) -> bool:
        """Whether the newest answers, a few of every user, are all of that version."""
        newest = self.answers[-5 * USERS :]
        return len(newest) == 5 * USERS and {answer.version for answer in newest} == {version}


@pytest.fixture(scope="module")
def slow_lab() -> Iterator[Lab]:
    with Lab(debounce=DEBOUNCE) as lab:
        lab.apply_crds()
        yield lab


@pytest.fixture
def operator(slow_lab: Lab) -> Iterator[Process]:
    """Told to let changes settle for more than twice as long as istiod waits."""
    process = slow_lab.start_operator(["--settle=5s"])
    yield process
    log = process.log.read_text(errors="replace")
    process.stop()
    assert "Traceback" not in log, log


def get(lab: Lab, kind: str, name: str) -> Object:
    found: Object = json.loads(lab.kubectl("get", kind, name, f"--namespace={lab.namespace}", "--output=json"))
    return found


def release(name: str, stable: str, canary: str) -> Object:
    spec = {
        "stable": {"subset": "stable", "labels": {"version": stable}},
        "canary": {"subset": "canary", "labels": {"version": canary}},
        "traffic": {"host": name, "virtualServices": [{"name": name}], "destinationRule": name},
        "ladder": [{"weight": 50, "window": "4s"}, {"weight": 100, "window": "0s"}],
        "interval": "2s",
        "reportEvery": "2s",
        "prometheus": {"reporter": "source"},
    }
    manifest = {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment"}
    return {**manifest, "metadata": {"name": name, "namespace": "demo"}, "spec": spec}


async def test_no_request_fails_and_no_user_changes_version_while_the_subsets_change_hands_I4(
    slow_lab: Lab, operator: Process
) -> None:
    lab, name = slow_lab, "rebased"
    service = lab.add_service(name)
    workloads = [start_version(lab, name, version, error_rate=0.0) for version in ("v1", "v2", "v3")]
    users = Users(f"{lab.gateway_url}/predict", Service(name).host)

    async def until(condition: Callable[[], Any], what: str) -> Any:
        return await asyncio.to_thread(wait_until, condition, what, 180)

    def first_step() -> float | None:
        """When it was decided that users of v2 may meet v3."""
        history = get(lab, "canarydeployment", name)["status"].get("history", [])
        starts = [record["time"] for record in history if record["verdict"] == "start"]
        return datetime.fromisoformat(starts[1]).timestamp() if len(starts) > 1 else None

    async with users.present():
        await until(lambda: users.all_have("v1"), "users of v1")
        lab.apply([release(name, "v1", "v2")])
        await until(lambda: get(lab, "canarydeployment", name).get("status", {}).get("phase") == "Promoted", "v2")
        await until(lambda: users.all_have("v2"), "users of v2 alone")
        since = len(users.answers)
        lab.apply([release(name, "v2", "v3")])
        met = await until(first_step, "the first step of v3")
        await until(lambda: any(answer.version == "v3" for answer in users.answers[since:]), "users of v3")

    for workload in workloads:
        workload.stop()
    assert {answer.status for answer in users.answers} == {200}
    assert {answer.version for answer in users.answers[since:] if answer.sent < met} == {"v2"}
    assert {answer.version for answer in users.answers[since:]} == {"v2", "v3"}
    subsets = get(lab, "destinationrule", service.name)["spec"]["subsets"]
    assert [subset["labels"]["version"] for subset in subsets] == ["v2", "v3"]

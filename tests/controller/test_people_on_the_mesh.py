"""People in charge on the real stack: overrides, hooks, messages and the deployment log, with the RBAC of deploy/."""

import json
import os
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.demo.load import Load
from lab.demo.stage import start_version, users_of
from lab.errors import LabError
from lab.processes import Process
from lab.stack import Lab
from lab.waiting import wait_until
from serinus.log import Query, Reader, verify
from tests.controller.test_on_the_mesh import Manifest, get, manifest, phase

pytestmark = pytest.mark.mesh

GRANTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: on-call, namespace: demo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: serinus-override}
subjects: [{kind: User, name: jo, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: serinus-secrets, namespace: demo}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: serinus-secrets}
subjects: [{kind: ServiceAccount, name: serinus, namespace: serinus-system}]
"""
LADDER = [{"weight": 20, "window": "60s"}, {"weight": 50, "window": "60s"}, {"weight": 100, "window": "0s"}]


class Receiver:
    """A channel and a hook on this machine: answers with `status` and `answer`, and remembers what came."""

    def __init__(self) -> None:
        self.status, self.answer = 200, b"ok"
        self.requests: list[tuple[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                """Nothing: the tests look at `requests`."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def messages(self) -> list[dict[str, str]]:
        return [message for path, body in self.requests if path == "/channel" for message in body["messages"]]

    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.messages()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def start(lab: Lab, receiver: Receiver, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts an operator with a store and the receiver allowed; the last one is stopped at the end."""
    started: list[Process] = []

    def start() -> Process:
        options = [f"--store=sqlite:///{tmp_path / 'log.db'}", f"--allow-hook={receiver.origin}"]
        started.append(lab.start_operator(options))
        lab.apply(GRANTS)
        return started[-1]

    yield start
    started[-1].stop()
    for process in started:
        log = process.log.read_text(errors="replace")
        assert "Traceback" not in log, log
        assert "/channel" not in log, "an address that is a credential is in the log: " + log


@pytest.fixture
def service(lab: Lab, receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service with two versions, users, and a channel."""
    name = f"people-{zlib.crc32(request.node.name.encode())}"
    added = lab.add_service(name)
    lab.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": "demo"},
                "stringData": {"webhook": f"{receiver.origin}/channel", "key": "shared"},
            }
        ]
    )
    workloads = [start_version(lab, name, version) for version in ("v1", "v2")]
    with Load(users_of(lab, added, rate=100, seconds=180), lab.directory / f"{name}.jsonl"):
        yield name
    lab.kubectl("delete", "canarydeployment", name, "--namespace=demo", "--ignore-not-found", "--wait=false")
    for workload in workloads:
        workload.stop()


def release(name: str, **changes: Any) -> Manifest:
    return manifest(name, ladder=LADDER, notify=[{"secretRef": {"name": name}}], author="jo@example.com", **changes)


def override(lab: Lab, service: str, action: str, name: str, **spec: Any) -> None:
    """Jo overrides the rollout that is under way."""
    rollout = get(lab, "canarydeployment", service)["status"]["rollout"]["id"]
    given = {
        "target": service,
        "rollout": rollout,
        "action": action,
        "requestedBy": "jo",
        "reason": "the users call us",
    }
    metadata = {"name": f"{service}-{name}", "namespace": "demo"}
    wanted = {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryOverride", "metadata": metadata, "spec": given | spec}
    lab.kubectl("create", "--filename=-", "--as=jo", stdin=yaml.safe_dump(wanted))


def outcome(lab: Lab, service: str, name: str) -> Manifest:
    status: Manifest = get(lab, "canaryoverride", f"{service}-{name}").get("status", {})
    return status


def weight(lab: Lab, service: str) -> int:
    return int(get(lab, "canarydeployment", service).get("status", {}).get("weight", -1))


def test_a_rollout_in_the_hands_of_people_R26_R27_R28_R29(
    lab: Lab, start: Callable[[], Process], service: str, receiver: Receiver, tmp_path: Path
) -> None:
    """Started, promoted by order, rolled back by order within a second; everybody is told, and the log has it all."""
    start()
    lab.apply([release(service, hooks=[{"when": "start", "url": f"{receiver.origin}/hook"}])])
    wait_until(lambda: weight(lab, service) == 20, "the first step")
    assert ("/hook", "start") in [(path, body.get("when")) for path, body in receiver.requests]
    wait_until(lambda: "started" in receiver.kinds(), "the message that it begins")
    override(lab, service, "promote", "up")
    wait_until(lambda: outcome(lab, service, "up").get("outcome") == "Applied", "the promotion by order")
    wait_until(lambda: weight(lab, service) == 50, "the second step")
    override(lab, service, "rollback", "down")
    ordered = time.monotonic()
    wait_until(lambda: phase(lab, service) == "RolledBack", "the rollback by order")
    assert time.monotonic() - ordered < 10
    wait_until(lambda: "rolledBack" in receiver.kinds(), "the message that it is rolled back")
    told = next(message for message in receiver.messages() if message["kind"] == "rolledBack")
    assert "jo says: the users call us" in told["body"]
    assert "author: jo@example.com" in told["body"]
    assert "override" in receiver.kinds(), "what waited for its minute travels with the end"
    record = outcome(lab, service, "down")["record"]
    log = Reader(f"sqlite:///{tmp_path / 'log.db'}")
    wait_until(lambda: log.newest(Query(id=record), 1), "the record in the store")
    [entry] = log.newest(Query(id=record), 1)
    assert (entry.actor, entry.verdict, entry.weight_after) == ("jo", "rollback", 0)
    assert list(verify(log.all(Query()))) == []
    wait_until(
        lambda: not json.loads(lab.kubectl("get", "canaryrecords", "-A", "--output=json"))["items"], "no leftovers"
    )
    override(lab, service, "promote", "late")
    wait_until(lambda: outcome(lab, service, "late").get("outcome") == "Refused", "the refusal")
    assert "has ended" in outcome(lab, service, "late")["message"]


def test_kill_9_between_decision_and_message_loses_neither_message_nor_record_I4(
    lab: Lab, start: Callable[[], Process], service: str, receiver: Receiver, tmp_path: Path
) -> None:
    """The channel is away while the rollout begins, the operator is killed, and an order is given meanwhile."""
    operator = start()
    receiver.status = 500
    lab.apply([release(service)])
    wait_until(lambda: weight(lab, service) == 20, "the first step")
    wait_until(receiver.messages, "a first try")
    os.kill(operator.pid, signal.SIGKILL)
    override(lab, service, "hold", "stop")
    receiver.requests.clear()
    receiver.status = 200
    start()
    wait_until(lambda: {"started", "override"} <= set(receiver.kinds()), "both messages", timeout=90)
    wait_until(lambda: outcome(lab, service, "stop").get("outcome") == "Applied", "the hold")
    log = Reader(f"sqlite:///{tmp_path / 'log.db'}")
    wait_until(lambda: len(log.newest(Query(name=service), 9)) >= 2, "both records")
    assert list(verify(log.all(Query()))) == []
    verdicts = [each.verdict for each in log.newest(Query(name=service), 9)]
    assert verdicts == ["start", "hold"]


def test_a_hook_that_the_operator_may_not_ask_is_refused_by_name_I10(
    lab: Lab, start: Callable[[], Process], service: str
) -> None:
    start()
    lab.apply([release(service, hooks=[{"when": "start", "url": "http://169.254.169.254/latest"}])])
    stalled = "{.status.conditions[?(@.type=='Stalled')].reason}"
    wait_until(lambda: get_path(lab, service, stalled) == "HookNotAllowed", "the hook to be refused")


def get_path(lab: Lab, service: str, path: str) -> str:
    try:
        return lab.kubectl("get", "canarydeployment", service, "--namespace=demo", f"--output=jsonpath={path}")
    except LabError:
        return ""

"""One replica: `serinus run` as a process of its own, behind a proxy that sees all that it writes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from lab.processes import free_port
from lab.stack import web
from tests.crash.cluster import Release, behind
from tests.crash.conftest import Stage
from tests.crash.operators import await_true
from tests.crash.proxy import Fate, Proxy


@dataclass(frozen=True)
class Write:
    """A request that changes something, as the proxy saw it."""

    at: float
    """Monotonic seconds."""
    method: str
    path: str

    @property
    def is_of_a_lease(self) -> bool:
        """Whether it is about who acts, and not about what is done."""
        return "/leases" in self.path


class Replica:
    """A running replica. `writes`: all that it sent; `on_write`: called for each, in the proxy's thread."""

    def __init__(
        self, stage: Stage, name: str, directory: Path, lease: str, releases: Sequence[Release], options: Sequence[str]
    ) -> None:
        self.name = name
        self.writes: list[Write] = []
        self.on_write: Callable[[Write], object] = lambda _: None
        self.log = directory / f"{name}.log"
        self._lease = lease
        self._stage = stage
        self._url = f"127.0.0.1:{free_port()}"
        self._proxy = Proxy(stage.api_url, self._saw, lambda: None)
        self._proxy.__enter__()
        kubeconfig = behind(stage.kubeconfig, self._proxy.url, directory / f"{name}.kubeconfig")
        command = [
            *(sys.executable, "-m", "serinus.cli.main", "run", f"--prometheus={stage.prometheus}", "--settle=300ms"),
            *("--reporter=source", f"--lease={lease}", f"--identity={name}", f"--listen={self._url}"),
            *(f"--namespace={release.namespace}" for release in releases),
            *options,
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "KUBECONFIG": os.fspath(kubeconfig)}
            )

    def await_ready(self) -> "Replica":
        """Return when it says that it is."""
        await_true(lambda: self.get("/readyz") == (200, "ok\n"), f"{self.name} to be ready")
        return self

    def await_lead(self, shards: int = 1) -> "Replica":
        """Return when it acts for so many shards."""
        await_true(lambda: len(self.held()) == shards, f"{self.name} to act for {shards} shards")
        return self

    def held(self) -> list[str]:
        """The leases that are in its name."""
        namespace, _, group = self._lease.partition("/")
        found: Any = client.CustomObjectsApi(self._stage.api).list_namespaced_custom_object(
            "coordination.k8s.io", "v1", namespace, "leases", label_selector=f"serinus.io/lease={group}"
        )
        return [each["metadata"]["name"] for each in found["items"] if each["spec"].get("holderIdentity") == self.name]

    def get(self, path: str) -> tuple[int, str]:
        """What it answers over HTTP; status 0 where it does not."""
        answer = web.get(f"http://{self._url}{path}")
        return (answer.status, answer.body) if answer else (0, "")

    def series(self, name: str) -> list[str]:
        """The lines of one of its metrics."""
        _, page = self.get("/metrics")
        return [line for line in page.splitlines() if line.startswith((f"{name}{{", f"{name} "))]

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        os.kill(self._process.pid, number)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def records(self) -> list[dict[str, Any]]:
        """The records that it printed."""
        lines = self.log.read_text(errors="replace").splitlines()
        parsed = (json.loads(line) for line in lines if line.startswith('{"') and line.endswith("}"))
        return [line for line in parsed if line.get("serinus") == "record"]

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        if self.is_alive():
            self.send(signal.SIGKILL)
        self._process.wait(30)
        self._proxy.__exit__(None, None, None)

    def _saw(self, method: str, path: str) -> Fate:
        write = Write(time.monotonic(), method, path)
        self.writes.append(write)
        self.on_write(write)
        return Fate.PASSES

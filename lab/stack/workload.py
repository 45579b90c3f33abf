"""One process of a service of the lab, and the mesh's knowledge of it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from lab.processes import Launch, Process, Processes, free_port
from lab.stack import web
from lab.stack.kubectl import Kubectl
from lab.stack.mesh import Mesh
from lab.stack.service import NAMESPACE, Service
from lab.stack.targets import Target
from lab.stack.templates import render
from lab.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]


class Workload:
    """A running process of a version of a service, to which the gateway can send requests."""

    def __init__(self, service: str, version: str, process: Process, mesh: Mesh, kubectl: Kubectl) -> None:
        self.service = service
        self.version = version
        self.process = process
        self.url = process.address
        self._mesh = mesh
        self._kubectl = kubectl
        self._entry = process.name
        self._target = Target("workloads", f"127.0.0.1:{self.port}", {"service": service, "version": version})
        entry = render("workload.yaml", name=self._entry, service=service, version=version, port=self.port)
        kubectl("create", "--filename=-", stdin=entry)
        wait_until(self._is_reachable, f"the gateway to know {self._entry}")
        mesh.targets.add(self._target)

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """Take it out of the mesh, then end its process: in this order no request meets a dead endpoint."""
        self._kubectl("delete", "workloadentry", self._entry, f"--namespace={NAMESPACE}")
        wait_until(lambda: not self._is_reachable(), f"the gateway to forget {self._entry}")
        self._mesh.targets.remove(self._target)
        self.process.stop()

    def _is_reachable(self) -> bool:
        return self.port in self._mesh.endpoint_ports(Service(self.service).mesh_host)


def start_predictor(
    processes: Processes, service: str, version: str, port: int | None, environment: Mapping[str, str]
) -> Process:
    """Start one process of the demonstration service (examples/predictor), on a free port unless one is given."""

    def plan() -> Launch:
        chosen = port or free_port()
        url = f"http://127.0.0.1:{chosen}"
        return Launch(
            f"{service}-{version}-{chosen}",
            [sys.executable, "-m", "examples.predictor.app", f"--port={chosen}"],
            ready=lambda: web.answers_ok(f"{url}/healthz"),
            address=url,
            environment={"VERSION": version, **environment},
        )

    return processes.start(plan)

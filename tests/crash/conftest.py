"""What the crash tests stand on: the API server, Istio's kinds, a Prometheus with evidence for every release."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from kubernetes import client

from lab.processes import Processes
from lab.programs import provide
from lab.programs.parts import MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab
from lab.stack.mesh import start_prometheus
from lab.stack.targets import Target, Targets
from lab.stack.workload import REPOSITORY
from tests.crash.cluster import Release, administrator, behind
from tests.crash.evidence import Traffic
from tests.crash.operators import Operator, Orders

_numbers = count(1)


@dataclass(frozen=True)
class Stage:
    """Where releases are played."""

    api_url: str
    api: client.ApiClient
    kubeconfig: Path
    """The operator's: it may do what RBAC lets it."""
    prometheus: str
    traffic: Traffic
    directory: Path
    etcd: int
    """The process id of the API server's store."""

    def release(self, *, good: bool = True) -> Release:
        """A release in a namespace of its own; a bad one's canary fails every second request."""
        release = Release(self.api, f"crash-{next(_numbers)}")
        self.traffic.add(release.host, good=good)
        return release

    def log(self, release: Release) -> Path:
        """Where the operators of a release write."""
        return self.directory / f"{release.namespace}.log"

    def operator(
        self,
        release: Release,
        through: str | None = None,
        prometheus: str | None = None,
        first: Callable[[], None] | None = None,
    ) -> Operator:
        """An operator for a release alone.

        `through`: the address of a proxy that it reaches the API server by; `prometheus`: that of one before
        Prometheus; `first`: called in its process before it begins.
        """
        kubeconfig = self.kubeconfig
        if through is not None:
            name = f"{release.namespace}.{through.rpartition(':')[2]}.kubeconfig"
            kubeconfig = behind(self.kubeconfig, through, self.directory / name)
        log = self.log(release)
        return Operator(Orders(prometheus or self.prometheus, release.namespace, kubeconfig, log, first))


@pytest.fixture(scope="session")
def stage(istio: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(istio, tmp_path_factory.mktemp("crash")) as stage:
        yield stage


@contextmanager
def staged(lab: Lab, directory: Path) -> Iterator[Stage]:
    """A stage on an API server that has Istio's kinds; deploy/base is applied to it."""
    programs = provide(MESH_PARTS, Progress())
    lab.apply(REPOSITORY / "deploy" / "base")
    traffic = Traffic()
    processes = Processes(directory / "logs", Progress())
    targets = Targets(directory / "targets")
    prometheus = start_prometheus(programs, processes, directory, 0.5)
    targets.add(Target("workloads", traffic.address, {}))
    yield Stage(
        lab.api_url,
        administrator(lab.kubeconfig),
        lab.service_account_kubeconfig("serinus-system", "serinus"),
        prometheus.address,
        traffic,
        directory,
        _etcd_of(lab),
    )
    processes.stop_all(1.0)
    traffic.close()


def _etcd_of(lab: Lab) -> int:
    """The process id of the lab's etcd, which nobody else's command line names by that directory."""
    name = f"--data-dir={lab.directory / 'etcd'}".encode()
    found = [each for each in Path("/proc").glob("[0-9]*/cmdline") if name in _command(each)]
    (only,) = found
    return int(only.parent.name)


def _command(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []

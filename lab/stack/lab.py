"""The lab as one object: started when entered, gone when left."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import yaml

from lab.errors import LabError
from lab.home import Home
from lab.processes import Launch, Process, Processes
from lab.programs import provide
from lab.programs.parts import API_SERVER_PARTS, MESH_PARTS
from lab.progress import Progress
from lab.stack.cluster import start_api_server, start_etcd
from lab.stack.kubectl import Kubectl, write_kubeconfig
from lab.stack.mesh import Mesh, hold_port, start_mesh
from lab.stack.service import NAMESPACE, Service
from lab.stack.templates import render
from lab.stack.workload import REPOSITORY, Workload, start_predictor
from lab.waiting import wait_until

STOP_TIMEOUT = 1.0
"""Seconds that programs get to end when the lab is left: there is nothing that they need to save."""


class Lab:
    """A local stack; `with Lab() as lab:` starts it, waits until all of it works, and leaves nothing behind.

    With `mesh=False` it is etcd and kube-apiserver only. `scrape_interval` is Prometheus', in seconds; `debounce` how
    many istiod waits for further changes before it passes one on (in a real mesh 0.1 or more).
    Everything here may be called from any thread, but not from two at the same time.
    """

    namespace = NAMESPACE
    """Where the services and their mesh objects lie."""
    directory: Path
    """All state; removed at the end."""
    logs: Path
    """The directory with a log file for each program."""
    api_url: str
    etcd_url: str
    kubeconfig: Path
    """The administrator's."""
    kubectl: Kubectl
    """`lab.kubectl("get", "nodes")`: runs kubectl as administrator; LabError says what it complains of."""

    def __init__(
        self,
        mesh: bool = True,
        scrape_interval: float = 1.0,
        progress: Progress | None = None,
        debounce: float = 0.02,
    ) -> None:
        self._with_mesh = mesh
        self._scrape_interval = scrape_interval
        self._debounce = debounce
        self._progress = progress or Progress()
        self._mesh: Mesh | None = None
        self._operators = 0
        self._exit = ExitStack()

    def __enter__(self) -> "Lab":
        with ExitStack() as stack:
            self._start(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.__exit__(kind, error, trace)

    def _start(self, stack: ExitStack) -> None:
        programs = provide(MESH_PARTS if self._with_mesh else API_SERVER_PARTS, self._progress)
        self.directory = stack.enter_context(Home()).path
        self.logs = self.directory / "logs"
        self._processes = Processes(self.logs, self._progress)
        stack.callback(self._processes.stop_all, STOP_TIMEOUT)
        self.etcd_url = start_etcd(programs, self._processes, self.directory)
        self._api_server = start_api_server(programs, self._processes, self.directory, self.etcd_url)
        self.api_url, self.kubectl = self._api_server.url, self._api_server.kubectl
        self.kubeconfig = self.kubectl.kubeconfig
        if self._with_mesh:
            self._mesh = start_mesh(
                programs,
                self._processes,
                self.kubectl,
                self.directory,
                stack.enter_context(hold_port()).getsockname()[1],
                self._scrape_interval,
                self._debounce,
                self._progress,
            )

    @property
    def mesh(self) -> Mesh:
        """The mesh; LabError in a lab that was started without."""
        if self._mesh is None:
            raise LabError("this lab is an API server only: start it with Lab(mesh=True)")
        return self._mesh

    @property
    def gateway_url(self) -> str:
        """Where users' requests go in."""
        return self.mesh.gateway_url

    @property
    def prometheus_url(self) -> str:
        """Where Prometheus answers."""
        return self.mesh.prometheus_url

    def apply(self, manifest: str | Path | list[dict[str, object]]) -> None:
        """Apply a manifest as administrator: YAML text, a file (a directory: with kustomize), or objects."""
        if isinstance(manifest, Path):
            self.kubectl("apply", "--kustomize" if manifest.is_dir() else "--filename", str(manifest))
        else:
            text = manifest if isinstance(manifest, str) else yaml.safe_dump_all(manifest)
            self.kubectl("apply", "--filename=-", stdin=text)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig with a token (24 h) of an existing ServiceAccount: it may do what RBAC lets it."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", "--duration=24h").strip()
        path = self.directory / f"{namespace}.{name}.kubeconfig"
        return write_kubeconfig(path, self.api_url, self._api_server.certificate, name, token)

    def apply_crds(self) -> None:
        """Apply Serinus' own CRDs; returns when their objects can be listed and watched."""
        self.apply(REPOSITORY / "crds")
        self.kubectl.await_crds()
        listing = ("api-resources", "--api-group=serinus.io", "--output=name")
        kinds = wait_until(lambda: self.kubectl(*listing).split(), "the API server to list Serinus' kinds")
        # An established kind answers "storage is (re)initializing" for a while; kubectl asks again until it does not.
        self.kubectl("get", ",".join(kinds), "--all-namespaces")

    def add_service(self, name: str) -> Service:
        """Create a service that the gateway routes: stable (v1) with all the traffic, canary (v2) with none.

        Returns when the gateway knows it.
        """
        service = Service(name)
        self.apply(render("service.yaml", name=name, hosts=service.routed_hosts))
        wait_until(lambda: self._is_routed(service), f"the gateway to have routes for {service.host}")
        return service

    def run_workload(
        self, service: str, version: str, port: int | None = None, env: Mapping[str, str] | None = None
    ) -> Workload:
        """Start a process of a service that was added before; returns when the gateway can send it requests."""
        if not self._is_routed(Service(service)):
            raise LabError(f"the lab has no service {service!r}: call add_service({service!r}) first")
        process = start_predictor(self._processes, service, version, port, env or {})
        return Workload(service, version, process, self.mesh, self.kubectl)

    def start_operator(self, extra_args: Sequence[str] = ()) -> Process:
        """Start Serinus as its own ServiceAccount, with nothing but the RBAC that deploy/ ships.

        `extra_args` are options of `serinus run`. Returns when it watches CanaryDeployments.
        """
        self.apply_crds()
        self.apply(REPOSITORY / "deploy" / "base")
        kubeconfig = self.service_account_kubeconfig("serinus-system", "serinus")
        self._operators += 1
        name = f"serinus-{self._operators}"
        log = self.logs / f"{name}.log"
        options = [
            f"--prometheus={self.prometheus_url}",
            "--settle=1s",  # this mesh needs milliseconds
            *extra_args,
        ]
        launch = Launch(
            name,
            [sys.executable, "-m", "serinus.cli.main", "run", *options],
            ready=lambda: "watching CanaryDeployments" in log.read_text(errors="replace"),
            environment={"KUBECONFIG": str(kubeconfig)},
        )
        return self._processes.start(lambda: launch)

    def _is_routed(self, service: Service) -> bool:
        return service.host in self.mesh.routed_hosts()

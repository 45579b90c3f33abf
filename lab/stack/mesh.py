"""The mesh on top of the API server: istiod, an Envoy gateway, Prometheus; each awaited until it works."""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.processes import READY_TIMEOUT, Launch, Process, Processes, free_port
from lab.programs import Programs, envoy
from lab.programs.parts import ISTIO_CRDS, ISTIOD, PROMETHEUS
from lab.progress import Progress
from lab.stack import promql, web
from lab.stack.kubectl import Kubectl
from lab.stack.targets import Target, Targets
from lab.stack.templates import DIRECTORY, render
from lab.together import together
from lab.waiting import wait_until

ISTIOD_ENVIRONMENT = {
    # A stock Envoy lacks the filters that only Istio's own build has.
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    # No certificates, and no webhooks, for which the API server would need some.
    "ENABLE_CA_SERVER": "false",
    "PILOT_CERT_PROVIDER": "none",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
    "POD_NAME": "istiod",
    "POD_NAMESPACE": "istio-system",
}


@dataclass(frozen=True)
class Mesh:
    """A running mesh."""

    gateway_url: str
    prometheus_url: str
    envoy_admin_url: str
    targets: Targets
    """What Prometheus scrapes."""

    def endpoint_ports(self, host: str) -> set[int]:
        """The ports of 127.0.0.1 to which the gateway can send requests for `host` at this moment."""
        answer = web.get(f"{self.envoy_admin_url}/clusters?format=json")
        clusters = answer.json().get("cluster_statuses", []) if answer else []
        return {
            endpoint["address"]["socket_address"]["port_value"]
            for cluster in clusters
            if cluster["name"] == f"outbound|80||{host}"
            for endpoint in cluster.get("host_statuses", [])
        }

    def routed_hosts(self) -> set[str]:
        """The host names for which the gateway has routes."""
        answer = web.get(f"{self.envoy_admin_url}/config_dump?resource=dynamic_route_configs")
        configs = answer.json().get("configs", []) if answer else []
        return {
            domain
            for config in configs
            for virtual_host in config["route_config"].get("virtual_hosts", [])
            for domain in virtual_host["domains"]
        }


def start_mesh(
    programs: Programs,
    processes: Processes,
    kubectl: Kubectl,
    directory: Path,
    gateway_port: int,
    scrape_interval: float,
    debounce: float,
    progress: Progress,
) -> Mesh:
    """Start the mesh and wait until a request gets an answer through it and Prometheus has scraped the gateway."""
    targets = Targets(directory / "targets")
    started: dict[str, Process] = {}

    def objects() -> None:
        with progress.doing("creating Istio's CRDs and the gateway"):
            kubectl("create", "namespace", "istio-system")
            kubectl("create", "namespace", "demo")
            kubectl("create", "--validate=false", f"--filename={programs[ISTIO_CRDS]}")
            kubectl.await_crds()
            kubectl("create", f"--filename={DIRECTORY / 'request-metrics.yaml'}")
            kubectl("create", "--filename=-", stdin=render("gateway.yaml", gateway_port=gateway_port))

    def istiod_then_envoy() -> None:
        istiod = start_istiod(programs, processes, kubectl, debounce)
        started["envoy"] = start_envoy(processes, directory, istiod)

    def prometheus() -> None:
        started["prometheus"] = start_prometheus(programs, processes, directory, scrape_interval)

    together(objects, istiod_then_envoy, prometheus, abort=processes.abort)
    admin = started["envoy"].address
    targets.add(Target("envoy", urlsplit(admin).netloc, {"reporter": "source", "source_workload": "ingress"}))
    mesh = Mesh(f"http://127.0.0.1:{gateway_port}", started["prometheus"].address, admin, targets)
    with progress.doing("waiting for the gateway's first answer and first scrape"):
        wait_until(lambda: _gateway_answers(mesh), f"an answer of the gateway, {mesh.gateway_url}", READY_TIMEOUT)
        wait_until(lambda: _gateway_is_scraped(mesh), "Prometheus' first scrape of the gateway", READY_TIMEOUT)
    return mesh


def start_istiod(programs: Programs, processes: Processes, kubectl: Kubectl, debounce: float) -> Process:
    """Start istiod, which passes a change on after `debounce` seconds; its address is that of its discovery service."""
    environment = {**ISTIOD_ENVIRONMENT, "PILOT_DEBOUNCE_AFTER": f"{round(debounce * 1000)}ms"}

    def plan() -> Launch:
        grpc, http = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command: list[str | Path] = [
            programs[ISTIOD],
            "discovery",
            f"--kubeconfig={kubectl.kubeconfig}",
            f"--meshConfig={DIRECTORY / 'mesh.yaml'}",
            "--registries=Kubernetes",
            f"--grpcAddr={grpc}",
            f"--httpAddr={http}",
            "--httpsAddr=",
            "--secureGRPCAddr=",
            "--monitoringAddr=",
            "--ctrlz_port=0",
            "--ctrlz_address=127.0.0.1",
        ]
        ready = f"http://{http}/ready"
        return Launch("istiod", command, lambda: web.answers_ok(ready), address=grpc, environment=environment)

    return processes.start(plan)


def start_envoy(processes: Processes, directory: Path, istiod: Process) -> Process:
    """Start the gateway's Envoy; its address is that of its administration interface."""

    def plan() -> Launch:
        admin_port = free_port()
        config = directory / "envoy.yaml"
        config.write_text(render("envoy.yaml", admin_port=admin_port, xds_port=istiod.address.rpartition(":")[2]))
        # Hot restart would tie all Envoys of this machine together through shared memory.
        command: list[str | Path] = [envoy(), "--config-path", config, "--concurrency", "1", "--disable-hot-restart"]
        url = f"http://127.0.0.1:{admin_port}"
        return Launch("envoy", command, ready=lambda: web.answers_ok(f"{url}/ready"), address=url)

    return processes.start(plan)


def start_prometheus(programs: Programs, processes: Processes, directory: Path, scrape_interval: float) -> Process:
    """Start Prometheus, which scrapes what the files in `directory`/targets name."""
    config = directory / "prometheus.yml"
    config.write_text(render("prometheus.yml", scrape_interval=f"{round(scrape_interval * 1000)}ms"))

    def plan() -> Launch:
        port = free_port()
        command: list[str | Path] = [
            programs[PROMETHEUS],
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--scrape.discovery-reload-interval=100ms",  # its default makes a new target wait for 5 s
        ]
        url = f"http://127.0.0.1:{port}"
        return Launch("prometheus", command, ready=lambda: web.answers_ok(f"{url}/-/ready"), address=url)

    return processes.start(plan)


def hold_port() -> socket.socket:
    """A port for the gateway that nobody else can take while the socket is open.

    Envoy does not end when it cannot bind a listener, so trying another port would come too late. It can bind this one,
    since both sockets have SO_REUSEPORT; and as this socket never listens, every connection is Envoy's.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def _gateway_answers(mesh: Mesh) -> bool:
    answer = web.get(mesh.gateway_url)
    return answer is not None and answer.server == "istio-envoy"


def _gateway_is_scraped(mesh: Mesh) -> bool:
    return bool(promql.ask(mesh.prometheus_url, 'up{job="envoy"} == 1'))

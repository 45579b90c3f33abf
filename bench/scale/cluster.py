"""Where a part of the bench runs: an API server with all kinds and rights, and operators whose cost can be read."""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.processes import Launch, Process, Processes, free_port
from lab.programs import provide
from lab.programs.parts import ISTIO_CRDS, MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab, web
from lab.stack.cluster import AUDIT_LOG
from lab.stack.workload import REPOSITORY
from lab.waiting import wait_until

_ACCOUNT = "serinus-system:serinus"
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 2**20
_PATIENCE = 300.0  # seconds
_LAGS = re.compile(r'^serinus_tick_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Operator:
    """A running operator."""

    process: Process
    metrics: str
    """Address of its metrics."""

    def lags(self) -> dict[float, float]:
        """How many ticks have been judged at most so many seconds after they could be, by those seconds."""
        answer = web.get(self.metrics, timeout=10)
        return {float(at): float(count) for at, count in _LAGS.findall(answer.body if answer else "")}

    def is_up_to_date(self) -> bool:
        """Whether it has judged all that could be judged when it began, as its log says."""
        return "CanaryDeployments are up to date" in self.process.log.read_text(errors="replace")

    def cpu(self) -> float:
        """Seconds of processor time since it began."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def memory(self) -> float:
        """Megabytes that are resident."""
        return self._kilobytes("VmRSS") * 1024 / _MEGABYTE

    def peak(self) -> float:
        """The most megabytes that were ever resident."""
        return self._kilobytes("VmHWM") * 1024 / _MEGABYTE

    def _kilobytes(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None, "the kernel tells it of every process that runs"
        return int(found[1])


class Cluster:
    """A running API server with the kinds of Serinus and Istio, and operators beside it."""

    def __init__(self, lab: Lab, processes: Processes, prometheus: str) -> None:
        self.lab = lab
        self._processes = processes
        self._prometheus = prometheus
        self._kubeconfig = lab.service_account_kubeconfig(*_ACCOUNT.split(":"))
        self._started = 0

    def start_operator(self, options: Sequence[str] = ()) -> Operator:
        """An operator with the rights that deploy/ ships; returns when it watches."""
        self._started += 1
        name = f"serinus-{self._started}"
        log = self._processes.logs / f"{name}.log"
        port = free_port()
        command = [sys.executable, "-m", "serinus.cli.main", "run", f"--prometheus={self._prometheus}", *options]
        command.append(f"--listen=127.0.0.1:{port}")
        # Ready at once for whoever waits here: how long the first list takes is what is measured.
        launch = Launch(name, command, ready=log.exists, environment={"KUBECONFIG": str(self._kubeconfig)})
        operator = Operator(self._processes.start(lambda: launch), f"http://127.0.0.1:{port}/metrics")
        wait_until(
            lambda: "watching CanaryDeployments" in log.read_text(errors="replace"), f"{name} to watch", _PATIENCE
        )
        return operator

    def reads(self) -> Counter[str]:
        """What the operators have asked for by GET and LIST, by verb and resource, as the API server's audit log says.

        Its own count of requests has those of others, too: every three minutes it lists the Services for itself.
        """
        with (self.lab.logs / AUDIT_LOG).open() as log:
            asked = (json.loads(line) for line in log if '"verb":"get"' in line or '"verb":"list"' in line)
            return Counter(
                f"{each['verb'].upper()} {each['objectRef']['resource']}"
                for each in asked
                if each["user"]["username"] == f"system:serviceaccount:{_ACCOUNT}"
            )

    def stored_bytes(self) -> float:
        """Bytes of all values that etcd has ever been given."""
        answer = web.get(f"{self.lab.etcd_url}/metrics", timeout=10)
        found = re.search(r"^etcd_debugging_mvcc_total_put_size_in_bytes (\S+)$", answer.body if answer else "", re.M)
        return float(found[1]) if found else 0.0


@contextmanager
def cluster(prometheus: str) -> Iterator[Cluster]:
    """A cluster of its own, gone at the end."""
    progress = Progress()
    with Lab(mesh=False, progress=progress) as lab:
        crds = provide(MESH_PARTS, progress)[ISTIO_CRDS]
        lab.kubectl("create", "--validate=false", f"--filename={crds}")
        lab.apply_crds()
        lab.apply(REPOSITORY / "deploy" / "base")
        processes = Processes(lab.directory / "operators", progress)
        try:
            yield Cluster(lab, processes, prometheus)
        finally:
            processes.stop_all(timeout=5)

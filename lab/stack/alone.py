"""A Prometheus by itself, without cluster and mesh: it scrapes what it is told, or takes what is written to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.home import Home
from lab.processes import Launch, Processes, free_port
from lab.programs import provide
from lab.programs.parts import PROMETHEUS
from lab.progress import Progress
from lab.stack import web

STOP_TIMEOUT = 1.0


@dataclass(frozen=True)
class Alone:
    """Starts such servers; `address` of each is that of its HTTP API."""

    directory: Path
    processes: Processes
    program: Path

    def start(self, name: str, config: str, flags: Sequence[str] = ()) -> str:
        """Start a server with this configuration (prometheus.yml) and an empty database; its address."""
        home = self.directory / name
        home.mkdir()
        written = home / "prometheus.yml"
        written.write_text(config)

        def plan() -> Launch:
            port = free_port()
            command: list[str | Path] = [
                self.program,
                f"--config.file={written}",
                f"--storage.tsdb.path={home / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--scrape.discovery-reload-interval=100ms",
                *flags,
            ]
            url = f"http://127.0.0.1:{port}"
            return Launch(f"prometheus-{name}", command, lambda: web.answers_ok(f"{url}/-/ready"), address=url)

        return self.processes.start(plan).address


@contextmanager
def prometheus_alone() -> Iterator[Alone]:
    """Such servers, stopped at the end with all that they stored."""
    progress = Progress()
    program = provide([PROMETHEUS], progress)[PROMETHEUS]
    with Home() as home:
        processes = Processes(home.path / "logs", progress)
        try:
            yield Alone(home.path, processes, program)
        finally:
            processes.stop_all(STOP_TIMEOUT)

"""Programs are awaited until ready, leave an explanation when they fail, and never outlive the lab."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.demo.leftovers import descendants
from lab.errors import Aborted, ProcessFailed
from lab.processes import Launch, Process, Processes, free_port
from lab.progress import Progress
from lab.stack import web
from lab.stack.mesh import hold_port

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer.allow_reuse_address = False
try:
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
except OSError as error:
    sys.exit(f"cannot listen: {error.strerror}")
server.serve_forever()
"""


def server(port: int) -> Launch:
    url = f"http://127.0.0.1:{port}"
    return Launch("server", [sys.executable, "-c", SERVER, str(port)], lambda: web.answers_ok(url), address=url)


def script(code: str, ready: bool = False) -> Launch:
    return Launch("script", [sys.executable, "-c", code], ready=lambda: ready)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        yield other.getsockname()[1]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path / "logs", Progress())
    yield processes
    processes.stop_all(timeout=5)


def test_a_started_program_answers(processes: Processes) -> None:
    assert web.answers_ok(processes.start(lambda: server(free_port())).address)


def test_a_program_that_ends_before_it_is_ready_is_reported_with_the_end_of_its_log(processes: Processes) -> None:
    with pytest.raises(ProcessFailed, match=r"(?s)script ended with code 3 .*logs/script\.log.*no such table"):
        processes.start(lambda: script("print('no such table'); raise SystemExit(3)"))


def test_a_program_that_is_not_ready_in_time_is_reported_and_stopped(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lab.processes.READY_TIMEOUT", 0.5)
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(ProcessFailed, match=r"script was not ready within"):
        processes.start(lambda: script(code))
    assert not Path(f"/proc/{pid.read_text()}").exists()


def test_a_port_that_somebody_takes_before_the_program_does_is_replaced(processes: Processes, taken: int) -> None:
    ports = iter([taken, free_port()])
    process = processes.start(lambda: server(next(ports)))
    assert web.answers_ok(process.address)


def test_ports_that_are_always_taken_are_reported(processes: Processes, taken: int) -> None:
    with pytest.raises(ProcessFailed, match="Address already in use"):
        processes.start(lambda: server(taken))


def test_an_answer_on_the_port_is_not_the_programs_when_it_has_ended(processes: Processes) -> None:
    before = descendants(os.getpid())
    ends = [sys.executable, "-c", "raise SystemExit(1)"]
    with pytest.raises(ProcessFailed, match="ended with code 1"):
        processes.start(lambda: Launch("script", ends, ready=lambda: descendants(os.getpid()) == before))


def test_a_program_outlives_the_thread_that_asked_for_it(processes: Processes) -> None:
    """Linux ties a child to the thread that started it, not to the process."""
    started: list[Process] = []
    thread = threading.Thread(target=lambda: started.append(processes.start(lambda: server(free_port()))))
    thread.start()
    thread.join()
    assert web.answers_ok(started[0].address)


def test_a_program_that_ignores_the_polite_signal_is_killed(processes: Processes) -> None:
    ignores = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    log = Path(f"{processes.logs}/script.log")
    process = processes.start(
        lambda: Launch("script", [sys.executable, "-c", ignores], ready=lambda: "on" in log.read_text())
    )
    process.stop(timeout=0.2)
    assert process.exit_code == -signal.SIGKILL


def test_waiting_ends_at_once_when_another_part_of_the_lab_has_failed(processes: Processes) -> None:
    processes.abort()
    with pytest.raises(Aborted):
        processes.start(lambda: script("import time; time.sleep(60)"))


def test_nobody_else_can_be_given_the_gateways_port() -> None:
    with hold_port() as holder, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(holder.getsockname())

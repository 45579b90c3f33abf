"""However a lab ends, none of its processes is left, and the next lab finds a clean place."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import processes
from lab.demo.leftovers import Process, descendants, still_running
from lab.stack import Lab
from lab.waiting import wait_until

PROGRAMS = {"etcd", "kube-apiserver", "pilot-discovery", "envoy", "prometheus"}


class Up:
    """`python -m lab up`, running."""

    def __init__(self, output: Path) -> None:
        self.output = output
        with output.open("w") as file:
            self.process = subprocess.Popen([sys.executable, "-m", "lab", "up"], stdout=file, stderr=file)
        wait_until(lambda: "Ctrl-C ends it" in self.text or self.process.poll() is not None, "the lab", timeout=120)
        assert self.process.poll() is None, self.text
        self.children = descendants(self.process.pid)

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def directory(self) -> Path:
        (logs,) = re.findall(r"logs +(\S+)", self.text)
        return Path(logs).parent


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "output")
    yield up
    up.process.kill()
    up.process.wait()


@pytest.mark.mesh
def test_a_lab_that_is_killed_leaves_no_process_and_the_next_lab_removes_its_directory(up: Up) -> None:
    assert programs(up.children) >= PROGRAMS
    up.process.send_signal(signal.SIGKILL)
    wait_until(lambda: not still_running(up.children), "every process of the killed lab to end")
    assert up.directory.exists()
    with Lab(mesh=False):
        assert not up.directory.exists()


@pytest.mark.mesh
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_lab_that_is_told_to_end_leaves_neither_process_nor_directory(up: Up, number: signal.Signals) -> None:
    assert programs(up.children) >= PROGRAMS
    up.process.send_signal(number)
    assert up.process.wait(timeout=60) == 128 + number
    assert not still_running(up.children)
    assert not up.directory.exists()
    assert "Traceback" not in up.text


@pytest.mark.api_server
def test_an_exception_leaves_no_process() -> None:
    before = descendants(os.getpid())
    with pytest.raises(ValueError, match="broken"), Lab(mesh=False):
        started = descendants(os.getpid()) - before
        assert programs(started) == {"etcd", "kube-apiserver"}
        raise ValueError("broken")
    assert not still_running(started)


@pytest.mark.api_server
def test_ports_that_are_taken_while_the_lab_starts_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        # etcd asks for two, then both again, then the API server for one.
        ports = iter([taken, processes.free_port(), processes.free_port(), processes.free_port(), taken])
        monkeypatch.setattr("lab.stack.cluster.free_port", lambda: next(ports, None) or processes.free_port())
        with Lab(mesh=False) as lab:
            assert str(taken) not in lab.api_url
            assert "kube-system" in lab.kubectl("get", "namespaces")
        assert next(ports, None) is None, "the taken ports were not tried"


def programs(children: frozenset[Process]) -> set[str]:
    return {Path(f"/proc/{child.pid}/exe").readlink().name for child in children}

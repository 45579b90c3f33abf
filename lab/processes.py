"""The lab's programs as child processes: each with a log, awaited until ready, none left behind.

A program is started by a thread of its own that lives as long as this process: Linux sends the signal that ties a child
to its parent (see leash.py) when the *thread* that started it ends.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import Aborted, PortTaken, ProcessFailed
from lab.leash import leashed
from lab.progress import Progress
from lab.waiting import POLL

READY_TIMEOUT = 60.0
"""Seconds that a program may take until it is ready: generous, for a slow or busy machine."""
STOP_TIMEOUT = 5.0
"""Seconds between SIGTERM and SIGKILL."""
ATTEMPTS = 3
"""How often a start is tried when somebody else takes the port that was chosen."""
LOG_LINES = 15
"""Lines of a log that an error message carries."""

_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lab-spawner")


@dataclass(frozen=True)
class Launch:
    """How one program is started, and how to tell that it is ready."""

    name: str
    command: Sequence[str | Path]
    ready: Callable[[], bool]
    address: str = ""
    """Where others reach the program once it is ready, if they do."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own."""


class Process:
    """A running program, the leader of a process group of its own."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self.name = launch.name
        self.address = launch.address
        self.log = log
        self._child = _spawner.submit(_spawn, launch, log).result()

    @property
    def pid(self) -> int:
        """The process's id, also that of its group."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; else its exit code, or minus the signal that ended it."""
        return self._child.poll()

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Ask the program to end; kill its whole group when it has not within `timeout` seconds."""
        self._child.terminate()
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._child.wait()

    def terminate(self) -> None:
        """Ask the program to end, and do not wait."""
        self._child.terminate()

    def last_lines(self) -> str:
        """The end of its log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join(f"    {line}" for line in lines)


class Processes:
    """The programs of one lab: started in whatever order, stopped together."""

    def __init__(self, logs: Path, progress: Progress) -> None:
        self.logs = logs
        self._progress = progress
        self._started: list[Process] = []
        self._aborted = threading.Event()
        logs.mkdir()

    def start(self, plan: Callable[[], Launch]) -> Process:
        """Start what `plan` describes and wait until it is ready.

        `plan` chooses the ports; it is asked again when somebody else takes one of them before the program does.
        Raises ProcessFailed, with the end of the program's log, when it ends or is not ready in time.
        """
        for attempt in range(1, ATTEMPTS + 1):
            launch = plan()
            try:
                with self._progress.doing(f"starting {launch.name}"):
                    return self._start(launch)
            except PortTaken:
                if attempt == ATTEMPTS:
                    raise
                self._progress.say(f"  {launch.name}: its port was taken by another program; trying another")
        raise AssertionError("the last attempt returns or raises")

    def abort(self) -> None:
        """Let every `start` that is still waiting end at once, with Aborted."""
        self._aborted.set()

    def stop_all(self, timeout: float) -> None:
        """Stop all programs at the same time; those that do not end within `timeout` seconds are killed."""
        self.abort()
        for process in self._started:
            process.terminate()
        deadline = time.monotonic() + timeout
        for process in self._started:
            process.stop(max(0.0, deadline - time.monotonic()))

    def _start(self, launch: Launch) -> Process:
        process = Process(launch, self.logs / f"{launch.name}.log")
        self._started.append(process)
        deadline = time.monotonic() + READY_TIMEOUT
        while True:
            is_ready = launch.ready()
            # Asked in this order: if somebody else has the port, it may be they who answered.
            if process.exit_code is not None:
                raise _failure(process, f"ended with code {process.exit_code} before it was ready")
            if is_ready:
                return process
            if time.monotonic() > deadline:
                process.stop()
                raise _failure(process, f"was not ready within {READY_TIMEOUT:.0f} s")
            if self._aborted.wait(POLL):
                raise Aborted(f"starting {launch.name} was given up")
            self._progress.tick()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(launch: Launch, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            leashed(launch.command),
            env={**os.environ, **launch.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _failure(process: Process, what: str) -> ProcessFailed:
    lines = process.last_lines()
    kind = PortTaken if "address already in use" in lines.lower() else ProcessFailed
    return kind(f"{process.name} {what}; the end of its log, {process.log}:\n{lines}")

"""Which processes are still there after those who started them are gone."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process; its id and the time of its start name it for good, for ids are used again."""

    pid: int
    started: str
    parent: int


def descendants(pid: int) -> frozenset[Process]:
    """The children of a process, their children, and so on."""
    processes = _running()
    found: set[Process] = set()
    parents = {pid}
    while parents:
        children = {process for process in processes if process.parent in parents} - found
        found |= children
        parents = {process.pid for process in children}
    return frozenset(found)


def still_running(processes: frozenset[Process]) -> frozenset[Process]:
    """Those of the processes that run now, whoever their parent is."""
    now = {(process.pid, process.started) for process in _running()}
    return frozenset(process for process in processes if (process.pid, process.started) in now)


def _running() -> list[Process]:
    """Every process but those that have ended and whose parent has not asked yet."""
    processes = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name, in brackets, may hold blanks and brackets; numbers follow the last one.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent, started = fields[0], int(fields[1]), fields[19]
        if state != "Z":
            processes.append(Process(int(entry.name), started, parent))
    return processes

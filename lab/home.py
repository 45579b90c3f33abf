"""Where a lab keeps its state: one directory a lab, owned by a lock that ends with the lab's process.

The lock, not a process id, says whether a lab lives: the kernel releases it however the process ends, and an id may
belong to somebody else by now.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO


def cache_directory() -> Path:
    """The directory of everything that labs keep on this machine: built programs and running labs' state."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serinus-lab"


@contextmanager
def locked(path: Path, busy: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`; `busy` is called before waiting for somebody else who holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            busy()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Home:
    """A new directory for one lab; what labs left behind that no longer live is removed first."""

    def __init__(self) -> None:
        labs = cache_directory() / "labs"
        # Without this lock a directory could be swept between its making and the locking of it.
        with locked(labs / ".lock"):
            sweep(labs)
            self.path = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=labs))
            self._owner = claim(self.path)

    def __enter__(self) -> "Home":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a failure the logs are worth reading: they stay until the next lab starts.
        if kind is None or not issubclass(kind, Exception):
            shutil.rmtree(self.path, ignore_errors=True)
        if self._owner is not None:
            self._owner.close()


def claim(directory: Path) -> IO[str] | None:
    """Lock `directory` for as long as the returned file is open; None when a living lab has it."""
    file = (directory / "owner.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def sweep(labs: Path) -> None:
    """Remove the directories in `labs` that no living process owns."""
    for directory in labs.iterdir():
        if not directory.is_dir():
            continue
        owner = claim(directory)
        if owner is not None:
            shutil.rmtree(directory, ignore_errors=True)
            owner.close()

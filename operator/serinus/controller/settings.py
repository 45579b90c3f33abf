"""How the operator runs: what `serinus run` was told."""

from dataclasses import dataclass
from pathlib import Path

from serinus.controller.front import Address
from serinus.controller.leases.settings import LeaseSettings
from serinus.controller.record_file import RecordFile
from serinus.rollout import Timing


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's own configuration.

    `prometheus`: address of the Prometheus that canaries use unless they name another. `reporter`: whose
    Istio metrics are read unless a canary says otherwise. `allowed_prometheus`: other
    addresses that a CanaryDeployment may name. `namespaces`: those to watch, none for all. `timing`: how long changes
    settle. `lateness`: seconds after a slot's end until its samples are taken to be complete.
    `prometheus_credentials`: a directory with the keys of a Secret for `prometheus`. `fence`: a label that every series
    must have, with the CanaryDeployment's namespace as its value. `allowed_hooks`: origins of hooks; also on this
    machine's own loopback. `store`: address of the deployment log's store, None for none. `records`: a file for records
    besides standard output. `listen`: where health and metrics are told, None for nowhere. `lease`: how replicas share
    the work, None for an operator that is the only one.
    """

    prometheus: str
    timing: Timing
    reporter: str = "destination"
    allowed_prometheus: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()
    lateness: float = 1.0
    listen: Address | None = None
    lease: LeaseSettings | None = None
    records: RecordFile | None = None
    allowed_hooks: frozenset[str] = frozenset()
    store: str | None = None
    prometheus_credentials: Path | None = None
    fence: str | None = None

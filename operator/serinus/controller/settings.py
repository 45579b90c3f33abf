"""How the operator runs: what `serinus run` was told."""

from dataclasses import dataclass
from pathlib import Path

from serinus.rollout import Timing


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's own configuration.

    `prometheus`: address of the Prometheus that canaries use unless they name another. `reporter`: whose
    Istio metrics are read unless a canary says otherwise. `allowed_prometheus`: other
    addresses that a CanaryDeployment may name. `namespaces`: those to watch, none for all. `timing`: how long changes
    settle. `lateness`: seconds after a slot's end until its samples are taken to be complete. `liveness`: address of
    the liveness endpoint, None for none. `prometheus_credentials`: a directory with the keys of a Secret for
    `prometheus`. `fence`: a label that every series must have, with the CanaryDeployment's namespace as its value.
    `allowed_hooks`: origins of hooks; also on this machine's own loopback.
    `store`: address of the deployment log's store, None for none.
    """

    prometheus: str
    timing: Timing
    reporter: str = "destination"
    allowed_prometheus: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()
    lateness: float = 1.0
    liveness: str | None = None
    allowed_hooks: frozenset[str] = frozenset()
    store: str | None = None
    prometheus_credentials: Path | None = None
    fence: str | None = None

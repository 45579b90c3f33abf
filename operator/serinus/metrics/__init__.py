"""Evidence: what Prometheus says about both arms in one slot of the tick grid, and what it does not say."""

from serinus.metrics.collect import Arms, collect, history
from serinus.metrics.grid import Grid
from serinus.metrics.source import Prometheus, SourceError

__all__ = ["Arms", "Grid", "Prometheus", "SourceError", "collect", "history"]

"""Evidence: what Prometheus says about both arms in one slot of the tick grid, and what it does not say."""

from serinus.metrics.arms import Arm, Arms
from serinus.metrics.catch_up import catch_up
from serinus.metrics.clustering import PodNumbers, clustering, pods_within
from serinus.metrics.collect import Collected, Inquiry, collect, inquiries
from serinus.metrics.connection import Connection, Credentials, CredentialsError
from serinus.metrics.custom import QueryError
from serinus.metrics.desk import Desk, Reader
from serinus.metrics.doubts import Doubt
from serinus.metrics.errors import SourceError
from serinus.metrics.grid import Grid
from serinus.metrics.past import history, past_reach
from serinus.metrics.reach import Reach
from serinus.metrics.silence import Silence
from serinus.metrics.slot import Slot
from serinus.metrics.source import Prometheus
from serinus.metrics.stretch import POINTS, Total, read_stretch, read_totals
from serinus.metrics.sums import added

__all__ = [
    "POINTS",
    "Arm",
    "Arms",
    "Collected",
    "Connection",
    "Credentials",
    "CredentialsError",
    "Desk",
    "Doubt",
    "Grid",
    "Inquiry",
    "PodNumbers",
    "Prometheus",
    "QueryError",
    "Reach",
    "Reader",
    "Silence",
    "Slot",
    "SourceError",
    "Total",
    "added",
    "catch_up",
    "clustering",
    "collect",
    "history",
    "inquiries",
    "past_reach",
    "pods_within",
    "read_stretch",
    "read_totals",
]

"""The operator's own metrics: what it counts and measures of itself, in Prometheus' terms.

What it knows of each CanaryDeployment is not among them: that is read from the cache when somebody asks (canaries.py),
so nothing is left of one that was deleted.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

RECONCILE_SECONDS = Histogram(
    "serinus_reconcile_seconds",
    "How long a reconcile took, with what it waited for.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
    registry=REGISTRY,
)
FAILURES = Counter(
    "serinus_reconcile_failures_total", "Reconciles that ended with an unforeseen error.", registry=REGISTRY
)
LAG_SECONDS = Histogram(
    "serinus_queue_lag_seconds",
    "How long after it was due a reconcile began.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
    registry=REGISTRY,
)
TICK_LAG_SECONDS = Histogram(
    "serinus_tick_lag_seconds",
    "How long after its evidence could be complete a tick had been judged.",
    buckets=(0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0),
    registry=REGISTRY,
)
RECORDS = Counter("serinus_records_total", "Decisions on record, by what was decided.", ["verdict"], registry=REGISTRY)
WRITES = Counter(
    "serinus_api_requests_total",
    "Requests to the API server by what came of them: done, conflict, not-ours, failed.",
    ["result"],
    registry=REGISTRY,
)
QUERIES = Counter(
    "serinus_queries_total",
    "Queries to Prometheus by what came of them: done, or which kind of data was missing.",
    ["result"],
    registry=REGISTRY,
)
QUERY_SECONDS = Histogram(
    "serinus_query_seconds",
    "How long a query to Prometheus took.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    registry=REGISTRY,
)
SHARDS = Gauge("serinus_shards_held", "How many shards this replica acts for; 0: it stands by.", registry=REGISTRY)
SHARDS_OF = Gauge("serinus_shards", "Into how many shards the objects are divided.", registry=REGISTRY)

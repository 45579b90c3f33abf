"""Which memory a metric of each kind has."""

from serinus.judge.kinds.distribution import DistributionMemory
from serinus.judge.kinds.gauge import GaugeMemory
from serinus.judge.kinds.latency import LatencyMemory
from serinus.judge.kinds.memory import Memory
from serinus.judge.kinds.proportion import ProportionMemory
from serinus.judge.kinds.rate import RateMemory
from serinus.judge.policy import Distribution, Gauge, Latency, Metric, Proportion, Rate

_MEMORIES: dict[type[Metric], type[Memory]] = {
    Proportion: ProportionMemory,
    Latency: LatencyMemory,
    Distribution: DistributionMemory,
    Rate: RateMemory,
    Gauge: GaugeMemory,
}


def memory_of(metric: Metric) -> type[Memory]:
    """The kind of memory that the metric needs."""
    return _MEMORIES[type(metric)]

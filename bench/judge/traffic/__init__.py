"""Simulated traffic: for each kind of metric, what both arms count in each tick of many rollouts at once."""

from bench.judge.traffic.clustered import Clustered
from bench.judge.traffic.distribution import Predictions
from bench.judge.traffic.errors import Errors
from bench.judge.traffic.gauge import Memory
from bench.judge.traffic.latency import CLASSIC, NATIVE, Latencies
from bench.judge.traffic.rate import Jobs
from bench.judge.traffic.source import SIZES, Sizes, Source

__all__ = [
    "CLASSIC",
    "NATIVE",
    "SIZES",
    "Clustered",
    "Errors",
    "Jobs",
    "Latencies",
    "Memory",
    "Predictions",
    "Sizes",
    "Source",
]

"""The policies that are measured: one metric of each kind, and the errors that most rows are about."""

from dataclasses import replace

from serinus.judge import Boundary, Distribution, Gauge, Latency, Metric, Policy, Proportion, Rate

ALPHA, BETA = 0.01, 0.05
"""The product's defaults."""

ONE_POINT = Boundary(delta=0.01)
FIFTH = Boundary(rho=1.2)
FIVE_POINTS = Boundary(delta=0.05)
FIFTY_MILLISECONDS = Boundary(delta=50.0)

ERROR_RATE = Proportion("error-rate", tolerance=ONE_POINT, margin=ONE_POINT)
LATENCY = Latency("latency", tolerance=FIFTH, margin=FIFTH, quantiles=(0.5, 0.9, 0.99), gates=(0.5, 0.9, 0.99))
WIDE_LATENCY = replace(LATENCY, tolerance=FIFTY_MILLISECONDS, margin=FIFTY_MILLISECONDS)
PREDICTION = Distribution("prediction", tolerance=FIVE_POINTS, margin=FIVE_POINTS)
JOBS = Rate("jobs", tolerance=FIFTH, margin=FIFTH)
MEMORY = Gauge("memory", tolerance=FIFTH, margin=FIFTH)


def policy_of(*metrics: Metric, alpha: float = ALPHA) -> Policy:
    """A policy with these metrics and the guard's default of one point."""
    return Policy(metrics=metrics, guard=ONE_POINT, alpha=alpha, beta=BETA)

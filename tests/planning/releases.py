"""Releases to plan, and the same rollouts slot by slot: what the operator would do, without any shortcut in time."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from serinus.api import CanaryDeploymentSpec, CanaryPolicySpec
from serinus.judge import Classes, Counts, Evidence, Histogram, Sample, State, Tick
from serinus.judge.evidence import Floats
from serinus.judge.findings import outcomes
from serinus.judge.tick import settle
from serinus.planning import Release, Requests

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
LATENCY = {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}}


CLASSIC = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, np.inf)
"""Bounds such as Istio's, in milliseconds."""


def release(
    *ladder: tuple[int, str],
    metrics: tuple[dict[str, Any], ...] = (ERRORS,),
    measured: frozenset[str] = frozenset(),
    **spec: Any,
) -> Release:
    """With these weights and windows, and a last step without a bake time."""
    steps = [{"weight": weight, "window": window} for weight, window in (*ladder, (100, "0s"))]
    traffic = {"host": "h", "virtualServices": [{"name": "h"}], "destinationRule": "h"}
    arms = {"stable": {"subset": "stable"}, "canary": {"subset": "canary"}}
    return Release(
        CanaryDeploymentSpec.model_validate({**arms, "traffic": traffic, "ladder": steps, **spec}),
        CanaryPolicySpec.model_validate({"metrics": list(metrics)}),
        measured,
    )


def latencies(rps: float, bounds: tuple[float, ...] = CLASSIC, median: float = 40.0) -> Histogram:
    """What is to be expected in a second where latencies are lognormal, p99 is four times the median."""
    with np.errstate(divide="ignore"):
        below = ndtr(np.log(np.array(bounds) / median) / (np.log(4.0) / ndtri(0.99)))
    return Histogram(bounds, rps * below)


def verdicts(release: Release, requests: Requests, canary_rate: float, rollouts: int, rng: Generator) -> Floats:
    """After each slot of the first step's window, the judge's verdict on each rollout: shape (slots, rollouts)."""
    step, interval = release.steps[0], release.spec.interval.total_seconds()
    window = release.slots(step.window)
    state = State.start(release.judged, release.history(requests), rollouts=(rollouts,))
    share, found = step.weight / 100, []
    for _ in range(window):
        n = [rng.poisson(requests.rps * interval * part, rollouts) for part in (share, 1 - share)]
        x = [rng.binomial(each, rate) for each, rate in zip(n, (canary_rate, requests.error_rate), strict=True)]
        failures = release.evidence(Evidence(*(_counts(*each) for each in zip(n, x, strict=True))))
        others = {
            name: Evidence(*(_of_requests(rng, each, expected, requests.rps) for each in n))
            for name, expected in requests.others.items()
        }
        tick = Tick(step=0, evidence={**failures, **others})
        state = settle(release.judged, state, tick, with_intervals=False)
        found.append(outcomes(release.judged, state, tick, window=window))
    return np.array(found)


def _of_requests(rng: Generator, n: NDArray[np.intp], expected: Sample, rps: float) -> Sample:
    """Each of the requests is slow, or of a class, or an event, by itself."""
    match expected:
        case Histogram(bounds, cumulative):
            shares = np.diff(cumulative, prepend=0.0) / cumulative[-1]
            return Histogram(bounds, np.cumsum(rng.multinomial(n, shares), axis=-1).astype(float))
        case Classes(names, counts):
            return Classes(names, rng.multinomial(n, counts / counts.sum()).astype(float))
        case Counts(all_, events):
            own = rng.binomial(n, all_ / rps)
            return _counts(own, rng.binomial(own, events / all_))
    raise AssertionError(expected)


def _counts(n: NDArray[np.intp], x: NDArray[np.intp]) -> Counts:
    return Counts(n.astype(float), x.astype(float))

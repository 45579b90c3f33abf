"""Releases to plan, and the same rollouts slot by slot: what the operator would do, without any shortcut in time."""

from typing import Any

import numpy as np
from numpy.random import Generator

from serinus.api import CanaryDeploymentSpec, CanaryPolicySpec
from serinus.judge import Counts, Evidence, State, Tick
from serinus.judge.evidence import Floats
from serinus.judge.findings import outcomes
from serinus.judge.tick import settle
from serinus.planning import Release, Requests

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
LATENCY = {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}}


def release(*ladder: tuple[int, str], metrics: tuple[dict[str, Any], ...] = (ERRORS,), **spec: Any) -> Release:
    """With these weights and windows, and a last step without a bake time."""
    steps = [{"weight": weight, "window": window} for weight, window in (*ladder, (100, "0s"))]
    traffic = {"host": "h", "virtualServices": [{"name": "h"}], "destinationRule": "h"}
    arms = {"stable": {"subset": "stable"}, "canary": {"subset": "canary"}}
    return Release(
        CanaryDeploymentSpec.model_validate({**arms, "traffic": traffic, "ladder": steps, **spec}),
        CanaryPolicySpec.model_validate({"metrics": list(metrics)}),
    )


def verdicts(release: Release, requests: Requests, canary_rate: float, rollouts: int, rng: Generator) -> Floats:
    """After each slot of the first step's window, the judge's verdict on each rollout: shape (slots, rollouts)."""
    step, interval = release.steps[0], release.spec.interval.total_seconds()
    window = release.slots(step.window)
    state = State.start(release.judged, release.history(requests.past), rollouts=(rollouts,))
    share, found = step.weight / 100, []
    for _ in range(window):
        n = [rng.poisson(requests.rps * interval * part, rollouts) for part in (share, 1 - share)]
        x = [rng.binomial(each, rate) for each, rate in zip(n, (canary_rate, requests.error_rate), strict=True)]
        tick = Tick(step=0, evidence=release.evidence(Evidence(*(_counts(*each) for each in zip(n, x, strict=True)))))
        state = settle(release.judged, state, tick, with_intervals=False)
        found.append(outcomes(release.judged, state, tick, window=window))
    return np.array(found)


def _counts(n: Floats, x: Floats) -> Counts:
    return Counts(n.astype(float), x.astype(float))

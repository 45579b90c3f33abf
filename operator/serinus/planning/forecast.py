"""What a rollout has to expect: requests, chances and times, step by step."""

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.random import Generator

from serinus.api import Step
from serinus.api.model import Model
from serinus.api.quantity import Duration
from serinus.judge.evidence import Floats
from serinus.judge.findings import COVERED
from serinus.planning.errors import PlanningError
from serinus.planning.regressions import smallest_caught
from serinus.planning.release import Release
from serinus.planning.requests import Requests
from serinus.planning.unchanged import Unchanged, simulate

MOST = 0.9
"""The share of unchanged canaries that a time is said for."""

_ROLLOUTS = 400  # of each step: a chance is off by 2.5 points at most, two times out of three
_OF_EACH_RATE = 40


class StepForecast(Model):
    """A step of the ladder."""

    weight: int
    window: Duration
    canary_requests: float
    """Expected in the window."""
    stable_requests: float
    promoted: float | None = None
    """The chance that an unchanged canary is promoted when the window ends; absent at 100: nothing is compared."""
    half_by: Duration | None = None
    """The time after which half of the unchanged canaries are promoted; absent: more than a week."""
    most_by: Duration | None = None
    """The same for MOST of them."""
    caught: float | None = None
    """The smallest error rate of a canary that is rolled back with 80 % before this window is over; absent: none is."""


class Forecast(Model):
    """The ladder, step by step, and all of it."""

    steps: tuple[StepForecast, ...]
    half_by: Duration | None = None
    """The time from the first request to Promoted for half of the unchanged canaries; without people's approvals."""
    most_by: Duration | None = None
    missing_deadline: float | None = None
    """The chance that an unchanged canary is at some step when its deadline comes; absent without a deadline."""
    unplanned: tuple[str, ...] = ()
    """Gating metrics of which nothing is known beforehand: what they need comes on top."""


def forecast(release: Release, requests: Requests, rng: Generator) -> tuple[Forecast, Unchanged]:
    """The forecast, and the simulated canaries that it was taken from.

    Raises PlanningError where the policy or the traffic allows none.
    """
    _refuse_silence(release, requests)
    unchanged = simulate(release, requests, release.steps, _ROLLOUTS, rng)
    caught = smallest_caught(release, requests, _OF_EACH_RATE, rng)
    took = [unchanged.promoted(number, release.slots(step.window)) for number, step in enumerate(release.steps)]
    steps = [_step(release, requests, *each) for each in zip(release.steps, took, caught, strict=True)]
    total = total_slots(took, baked(release, requests))
    told = Forecast(
        steps=(*steps, _bake(release, requests)),
        half_by=when(total, 0.5, release),
        most_by=when(total, MOST, release),
        missing_deadline=_missing_deadline(release, took),
        unplanned=release.unplanned,
    )
    return told, unchanged


def total_slots(took: Sequence[Floats], bake: int) -> Floats:
    """How long each of the simulated rollouts takes: the slots of its steps, and of the bake time."""
    return np.asarray(np.sum(took, axis=0) + bake)


def baked(release: Release, requests: Requests) -> int:
    """Slots at weight 100: its window, and what the least number of requests needs."""
    window = release.slots(release.bake.window)
    if window == 0:
        return 0
    return max(window, math.ceil(release.policy.min_requests / requests.rps / release.spec.interval.total_seconds()))


def when(took: Floats, share: float, release: Release) -> timedelta | None:
    """The time after which so many of the rollouts are done; None: they are not."""
    slots = np.quantile(took, share, method="higher")
    return release.spec.interval * float(slots) if np.isfinite(slots) else None


def _refuse_silence(release: Release, requests: Requests) -> None:
    """Where many ticks have no request at all the operator takes the data for incomplete, and holds."""
    interval = release.spec.interval.total_seconds()
    silent, most = np.exp(-requests.rps * interval), 1 - COVERED
    if silent > most:
        raise PlanningError(
            f"spec.interval: at {requests.rps:g} requests a second {100 * silent:.0f} % of the ticks of {interval:g} s "
            f"have no request, and a promotion needs data in {100 * COVERED:.0f} % of them; "
            f"make it at least {np.ceil(-np.log(most) / requests.rps):.0f}s"
        )


def _step(release: Release, requests: Requests, step: Step, took: Floats, caught: float | None) -> StepForecast:
    all_requests = requests.rps * step.window.total_seconds()
    return StepForecast(
        weight=step.weight,
        window=step.window,
        canary_requests=all_requests * step.weight / 100,
        stable_requests=all_requests * (100 - step.weight) / 100,
        promoted=float((took <= release.slots(step.window)).mean()),
        half_by=when(took, 0.5, release),
        most_by=when(took, MOST, release),
        caught=caught,
    )


def _bake(release: Release, requests: Requests) -> StepForecast:
    lasts = release.spec.interval * baked(release, requests)
    window = release.bake.window
    return StepForecast(
        weight=release.bake.weight,
        window=window,
        canary_requests=requests.rps * window.total_seconds(),
        stable_requests=0,
        half_by=lasts,
        most_by=lasts,
    )


def _missing_deadline(release: Release, took: Sequence[Floats]) -> float | None:
    if release.spec.deadline is None:
        return None
    late = np.asarray(took) > release.spec.deadline / release.spec.interval
    return float(late.any(axis=0).mean())

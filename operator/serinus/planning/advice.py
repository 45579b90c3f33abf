"""What to change so that a release fits a wanted time: first weight, windows or margin, one of them each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from numpy.random import Generator

from serinus.api import Regression, Step, format_duration
from serinus.api.model import Model
from serinus.api.quantity import Duration
from serinus.judge.evidence import Floats
from serinus.planning.forecast import MOST, Forecast, baked, total_slots, when
from serinus.planning.release import Release
from serinus.planning.requests import Requests
from serinus.planning.unchanged import Unchanged, simulate

_FIRST_WEIGHTS = (2, 3, 5, 10, 15, 20, 25)  # not more: a first step is there to spare most users
_SHORTER = (0.75, 0.5, 0.25, 0.1)  # parts of the windows
_WIDER = (1.5, 2.0, 3.0, 5.0)  # multiples of the margins
# Whoever allows more need not compare.
_WIDEST = Regression(absolute=0.5, relative=0.99, duration=timedelta(seconds=30), total_variation=0.5)
_ROLLOUTS = 200  # fewer than of a forecast: it is the order of size that is looked for


class Alternative(Model):
    """One change that would do by itself."""

    change: str
    """What to write, by field of the manifest."""
    most_by: Duration
    """The time after which nine of ten unchanged canaries would be promoted."""


class Advice(Model):
    """Whether the release fits the time, and, where not, what would make it fit."""

    within: Duration
    fits: bool
    alternatives: tuple[Alternative, ...] = ()


def advise(
    release: Release, requests: Requests, planned: Forecast, unchanged: Unchanged, within: timedelta, rng: Generator
) -> Advice:
    """How to have MOST of the unchanged canaries promoted `within` that time.

    `planned` and `unchanged` are what `forecast` said of the release.
    """
    if planned.most_by is not None and planned.most_by <= within:
        return Advice(within=within, fits=True)
    ways = (
        _higher_first_weight(release, requests, unchanged, within, rng),
        _shorter_windows(release, requests, unchanged),
        _wider_margins(release, requests, within, rng),
    )
    found = (next((each for each in way if each.most_by <= within), None) for way in ways)
    return Advice(within=within, fits=False, alternatives=tuple(each for each in found if each is not None))


def _higher_first_weight(
    release: Release, requests: Requests, unchanged: Unchanged, within: timedelta, rng: Generator
) -> Iterator[Alternative]:
    """The steps below the new first one are left out; it has the old first one's window."""
    first = release.steps[0]
    higher = [Step(weight=each, window=first.window) for each in _FIRST_WEIGHTS if each > first.weight]
    steps = [each for each in higher if _lasts((each, *_above(each.weight, release), release.bake)) <= within]
    if not steps:
        return
    tried = simulate(release, requests, steps, unchanged.suffices.shape[-1], rng)
    for number, step in enumerate(steps):
        later = [
            unchanged.promoted(place, release.slots(each.window))
            for place, each in enumerate(release.steps)
            if each in _above(step.weight, release)
        ]
        took = [tried.promoted(number, release.slots(step.window)), *later]
        yield from _alternative(release, requests, took, f"spec.ladder: begin at weight {step.weight}")


def _shorter_windows(release: Release, requests: Requests, unchanged: Unchanged) -> Iterator[Alternative]:
    for part in _SHORTER:
        windows = [_shortened(step.window, part, release.spec.interval) for step in release.steps]
        took = [unchanged.promoted(number, release.slots(window)) for number, window in enumerate(windows)]
        told = "/".join(format_duration(window) for window in windows)
        yield from _alternative(release, requests, took, f"spec.ladder: windows of {told}")


def _wider_margins(release: Release, requests: Requests, within: timedelta, rng: Generator) -> Iterator[Alternative]:
    """The tolerance stays: what is rolled back is the same, only less need be ruled out for a promotion."""
    if _lasts(release.spec.ladder) > within:
        return
    for factor in _WIDER:
        margins = {each.name: each.effective_margin.times(factor) for each in release.planned}
        if not all(_WIDEST.covers(margin) for margin in margins.values()):
            return
        metrics = tuple(
            each.model_copy(update={"margin": margins.get(each.name, each.margin)}) for each in release.policy.metrics
        )
        wider = replace(release, policy=release.policy.model_copy(update={"metrics": metrics}))
        tried = simulate(wider, requests, release.steps, _ROLLOUTS, rng)
        took = [tried.promoted(number, release.slots(step.window)) for number, step in enumerate(release.steps)]
        told = ", ".join(f"{name} {margin.written}" for name, margin in margins.items())
        yield from _alternative(release, requests, took, f"the policy's margin: {told}")


def _alternative(release: Release, requests: Requests, took: Sequence[Floats], change: str) -> Iterator[Alternative]:
    most_by = when(total_slots(took, baked(release, requests)), MOST, release)
    if most_by is not None:
        yield Alternative(change=change, most_by=most_by)


def _above(weight: int, release: Release) -> tuple[Step, ...]:
    return tuple(step for step in release.steps if step.weight > weight)


def _lasts(steps: Sequence[Step]) -> timedelta:
    """The least that the steps take, whatever the evidence."""
    return sum((step.window for step in steps), timedelta())


def _shortened(window: timedelta, part: float, interval: timedelta) -> timedelta:
    """In whole slots: no window is shorter than a tick."""
    return max(1, round(window * part / interval)) * interval

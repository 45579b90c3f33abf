"""The screen of `serinus plan`: a line for each step, and below it what they come to."""

import math
from collections.abc import Iterator
from datetime import timedelta

from serinus.api import format_duration
from serinus.cli.look import Look, Paint
from serinus.cli.plan_traffic import Seen
from serinus.cli.table import Cell, Column, table, wrapped
from serinus.cli.times import spoken
from serinus.cli.told import printable
from serinus.planning import Advice, Forecast, Release, Requests, StepForecast

_NEVER = "> 7 days"
_UNDECIDED = {"hold": "held", "rollback": "rolled back"}
_NEARLY_ALL = 0.95
_MINUTE, _SHORT = timedelta(minutes=1), timedelta(minutes=2)
_COLUMNS = [
    Column("STEP"),
    Column("WEIGHT", right=True),
    Column("WINDOW", right=True),
    Column("CANARY", right=True),
    Column("STABLE", right=True),
    Column("PROMOTED", right=True),
    Column("90 % BY", right=True),
    Column("ROLLED BACK AT"),
]


def screen(
    name: str,
    release: Release,
    requests: Requests,
    planned: Forecast,
    advice: Advice | None,
    look: Look,
    seen: Seen | None = None,
) -> list[str]:
    """What is to be expected, line by line; `seen`: what Prometheus saw, where the traffic was not given."""
    told = f"{name}: {requests.rps:.4g} requests a second, {100 * requests.error_rate:.3g} % of the stable's fail"
    rows = [_row(number, step, requests) for number, step in enumerate(planned.steps, start=1)]
    lines = [*wrapped(told, look), *(line for text in _source(seen) for line in wrapped(text, look, "  "))]
    lines += ["", *table(_COLUMNS, rows, look), ""]
    for text in (*_legend(), *_total(planned), *_beyond(release, planned, seen)):
        lines += wrapped(text, look, "  ")
    if advice is not None:
        lines += ["", *(line for text in _advice(advice) for line in wrapped(text, look, "  "))]
    return lines


def _row(number: int, step: StepForecast, requests: Requests) -> list[Cell]:
    texts = [
        str(number),
        str(step.weight),
        format_duration(step.window),
        _count(step.canary_requests),
        _count(step.stable_requests),
        "-" if step.promoted is None else f"{100 * step.promoted:.0f} %",
        _time(step.most_by),
    ]
    chance = None if step.promoted is None else Paint.GOOD if step.promoted >= 0.9 else Paint.WAIT
    painted = [Cell(text, chance if place == 5 else None) for place, text in enumerate(texts)]
    return [*painted, Cell(_caught(step, requests))]


def _caught(step: StepForecast, requests: Requests) -> str:
    if step.promoted is None:
        return "-"
    if step.caught is None:
        return "not even 100 %"
    return f"{_points(step.caught)} % (+{_points(step.caught - requests.error_rate)} pp)"


def _legend() -> Iterator[str]:
    yield "CANARY, STABLE: requests expected in the window."
    yield "PROMOTED: chance that a canary like the stable is promoted when the window ends. 90 % BY: nine of ten are."
    yield (
        "ROLLED BACK AT: an error rate from the first request on that is rolled back before this window ends, "
        "with 80 % probability."
    )


def _total(planned: Forecast) -> Iterator[str]:
    half, most = _time(planned.half_by), _time(planned.most_by)
    yield f"In all: half of the canaries like the stable are promoted within {half}, nine of ten within {most}."


def _source(seen: Seen | None) -> Iterator[str]:
    """Where the traffic was seen."""
    if seen is not None:
        yield f"as Prometheus saw it from {seen.period}"
        if seen.known < _NEARLY_ALL:
            yield f"! only {100 * seen.known:.0f} % of that time is known"


def _beyond(release: Release, planned: Forecast, seen: Seen | None) -> Iterator[str]:
    """What the figures leave out."""
    if seen is not None and release.spec.traffic.audience:
        yield (
            "! that is everybody's traffic, and only the audience may see the canary: say with --rps and --error-rate "
            "what is the audience's"
        )
    if seen is not None and planned.unplanned:
        told = "; ".join(f"{name}: {seen.lacking[name]}" for name in planned.unplanned)
        yield f"! not planned, for nothing is known of it in that time: {printable(told)}; promotions wait for it too"
    elif planned.unplanned:
        yield (
            f"! not planned, for an error rate says nothing about it: {', '.join(planned.unplanned)}; "
            "promotions wait for it too"
        )
    gates = [str(step.weight) for step in release.spec.ladder if step.gate]
    if gates:
        yield f"! approvals at weight {', '.join(gates)} take as long as people do"
    if planned.missing_deadline:
        yield (
            f"! {100 * planned.missing_deadline:.0f} % of the canaries like the stable are still at some step when its "
            f"deadline comes: then they are {_UNDECIDED[release.spec.when_undecided]}"
        )


def _advice(advice: Advice) -> Iterator[str]:
    if advice.fits:
        yield f"It fits into {spoken(advice.within)}."
        return
    yield f"It does not fit into {spoken(advice.within)}. " + (
        "Each of these alone would do:"
        if advice.alternatives
        else "No higher first weight (up to 25), shorter "
        "windows or wider margins (up to five times) alone would do: take several together, or more traffic."
    )
    for each in advice.alternatives:
        yield f"- {each.change}: nine of ten within {_time(each.most_by)}"


def _points(share: float) -> str:
    return f"{100 * share:.1f}" if share >= 0.01 else f"{100 * share:.2g}"


def _count(requests: float) -> str:
    return f"{requests:.0f}" if requests < 1e6 else f"{requests / 1e6:.3g}M"


def _time(length: timedelta | None) -> str:
    """Rounded up to minutes: nobody is told of less than what it takes."""
    if length is None:
        return _NEVER
    return spoken(length if length < _SHORT else math.ceil(length / _MINUTE) * _MINUTE)

"""Whether Prometheus answers, and says enough of each metric to be judged."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from serinus.api import format_duration
from serinus.doctor.finding import Finding, error, fine, warning
from serinus.judge import GUARD, Counts, Evidence, Histogram, Latency, Missing, Past, Sample, State, Tick, judge
from serinus.metrics import Doubt
from serinus.metrics.doubts import ADVICE
from serinus.rollout import Plan

_CHECK = "evidence"
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What Prometheus says of a metric (or of requests, under GUARD).

    `stable`: its sample; None where nothing is known. `doubt`: what is missing. `canary`: whether the canary has
    series; None where it has them only with traffic.
    """

    metric: str
    stable: Sample | None
    doubt: Doubt | None
    canary: bool | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """All answers about the last `seconds`.

    `is_whole`: whether all of the stable's requests in that time were counted: it was there from the first of them on.
    """

    seconds: float
    answers: tuple[Answer, ...]
    is_whole: bool

    @property
    def requests(self) -> Counts:
        """The stable's requests, and how many failed."""
        found = [each.stable for each in self.answers if each.metric == GUARD]
        return found[0] if found and isinstance(found[0], Counts) else Counts()


def check_answers(look: Look) -> Iterator[Finding]:
    """What is missing, and whether both arms are told apart."""
    away = [each.doubt for each in look.answers if each.doubt and each.doubt.missing is Missing.UNREACHABLE]
    if away:
        yield error(
            _CHECK,
            f"Prometheus cannot be asked: {away[0].detail}",
            why="Without evidence every step is held.",
            do=ADVICE[Missing.UNREACHABLE],
        )
        return
    for each in look.answers:
        if each.doubt is not None:
            yield _doubted(each.doubt, look.seconds)
        elif each.canary is False:
            yield warning(
                _CHECK,
                f"{each.metric}: the query has no series of the canary",
                why="Where a label is misspelled the metric is never known, and every step is held.",
                do="is the canary up, and scraped, and do its labels read as the query says?",
            )
        else:
            yield fine(_CHECK, f"{each.metric}: the stable's are there")


def check_histograms(plan: Plan, look: Look) -> Iterator[Finding]:
    """Whether each latency's buckets resolve its tolerance: the judge compares the stable with itself."""
    policy = plan.judged_by
    for answer in look.answers:
        metric = next((each for each in policy.metrics if each.name == answer.metric), None)
        if not isinstance(metric, Latency) or not isinstance(answer.stable, Histogram) or not answer.stable.n:
            continue
        both = Evidence(answer.stable, answer.stable)
        state = State.start(policy, {metric.name: Past(answer.stable)})
        unknown = {each.name: Evidence() for each in policy.metrics}
        _, rows, _ = judge(policy, state, Tick(0, {GUARD: Evidence(), **unknown, metric.name: both}), window=1)
        own = [row for row in rows if row.metric.name == metric.name and row.gating]
        coarse = [f"{row.name} ({row.tested})" for row in own if row.model]
        if coarse:
            yield warning(
                "histograms",
                f"no bucket bound is near enough for {metric.tolerance_text}: {', '.join(coarse)}",
                why="What lies between two bounds is then taken from a model of the latencies, not from counts.",
                do=f"bounds near the quantile and {metric.tolerance_text} beyond it, a native histogram, or a larger "
                "tolerance",
            )
        else:
            yield fine("histograms", f"{metric.name}: the buckets resolve {metric.tolerance_text}")


def check_traffic(plan: Plan, look: Look) -> Iterator[Finding]:
    """Whether, at today's traffic, each window brings both arms the requests without which nothing is promoted.

    Of a stable that has not been counted all the time the rate is known to be no less: too little of it is no finding.
    """
    rate = float(look.requests.n) / look.seconds
    if rate == 0:
        return  # the answers say so
    least = plan.policy.min_requests
    short = []
    for step in plan.ladder[:-1]:
        share = min(step.weight, _WHOLE - step.weight) / _WHOLE
        if rate * share * step.window.total_seconds() < least:
            needed = timedelta(seconds=math.ceil(least / (rate * share)))
            short.append(f"{step.weight} % needs {format_duration(needed)}, not {format_duration(step.window)}")
    if short and not look.is_whole:
        yield fine("traffic", f"{_span(look.seconds)} were not counted as a whole: it is too early to say")
    elif short:
        yield warning(
            "traffic",
            f"{rate:.3g} requests a second are too few for minRequests ({least}) in the window: {'; '.join(short)}",
            why="Nothing is promoted before each arm has had so many: these steps take longer than they say.",
            do="longer windows, larger first weights, or a smaller minRequests",
        )
    else:
        yield fine("traffic", f"{rate:.3g} requests a second bring minRequests ({least}) in every window")


def check_guard(plan: Plan, look: Look) -> Iterator[Finding]:
    """Whether the guard would roll back a canary that is just like the stable."""
    requests, spike = look.requests, plan.policy.spike.error_rate
    if requests.n and requests.x / requests.n >= spike / 2:
        share = requests.x / requests.n
        beyond = share >= spike
        yield (error if beyond else warning)(
            "guard",
            f"{share:.1%} of the stable's requests fail, and spike.errorRate is {spike:.1%}",
            why="The guard rolls back whatever the stable's rate is: a canary just like it "
            f"{'would be' if beyond else 'may be'} rolled back.",
            do="mend the service first, or raise spike.errorRate above what is usual",
        )


def _doubted(doubt: Doubt, seconds: float) -> Finding:
    detail = f" ({doubt.detail})" if doubt.detail else ""
    return (error if doubt.missing is Missing.NO_SERIES else warning)(
        _CHECK,
        f"{doubt.metric}: {doubt.missing.value}{detail} in {_span(seconds)}: {doubt.query}",
        why="Of what is not known nothing is guessed: the step is held.",
        do=ADVICE[doubt.missing],
    )


def _span(seconds: float) -> str:
    return f"the last {format_duration(timedelta(seconds=seconds))}"

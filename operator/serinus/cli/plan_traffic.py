"""The traffic that `serinus plan` takes from Prometheus: the stable's, in a period that the release will resemble."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serinus.api import CanaryDeployment, Metric
from serinus.cli.inputs import InputError
from serinus.cli.prometheus_connection import Server, require_answer
from serinus.cli.service_arms import arms_of_manifest
from serinus.judge import GUARD, Counts, Sample
from serinus.metrics import (
    POINTS,
    Arms,
    CredentialsError,
    Desk,
    Inquiry,
    Prometheus,
    QueryError,
    Slot,
    Total,
    inquiries,
    read_totals,
)
from serinus.planning import PLANNABLE, Release, Requests, amount, times

_DAY, _LEAST = timedelta(days=1), timedelta(hours=1)
_LATE = timedelta(seconds=30)  # samples of a moment may come that late


@dataclass(frozen=True)
class Period:
    """From `begin` to `end`, in UTC."""

    begin: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.begin:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.begin

    def slots(self, shortest: timedelta) -> tuple[Slot, ...]:
        """Ticks that cover it, so few that one query brings them all, and none shorter than `shortest`."""
        seconds = math.ceil(max(shortest, self.length / POINTS).total_seconds())
        number = math.ceil(self.length.total_seconds() / seconds)
        first = math.floor(self.end.timestamp()) - number * seconds
        return tuple(Slot(first + place * seconds, first + (place + 1) * seconds) for place in range(number))


@dataclass(frozen=True)
class Seen:
    """What Prometheus saw of the stable in a period.

    `known`: the share of it that was counted. `lacking`: metrics of which nothing is known, each with the reason.
    """

    period: Period
    known: float
    requests: Requests
    lacking: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "from": f"{self.period.begin:%Y-%m-%dT%H:%M:%SZ}",
            "to": f"{self.period.end:%Y-%m-%dT%H:%M:%SZ}",
            "known": round(self.known, 4),
            "rps": round(self.requests.rps, 4),
            "errorRate": round(self.requests.error_rate, 6),
            "lacking": dict(self.lacking),
        }


def usual_period(release: Release, now: datetime) -> Period:
    """The hours that a release begun a day ago would have taken, at least one: what is to come now is most like them.

    Of a release that takes longer than a day: as long before now.
    """
    length = max(_LEAST, sum((step.window for step in release.steps), timedelta()))
    begin = now - max(_DAY, length)
    return Period(begin, min(begin + length, now - _LATE))


def look_back(found: CanaryDeployment, release: Release, server: Server, namespace: str | None, period: Period) -> Seen:
    """What was seen in the period.

    Raises InputError where Prometheus cannot be asked, or says nothing of the stable's requests.
    """
    name, place = found.metadata.name, namespace or found.metadata.namespace
    if not place and "." not in release.spec.traffic.host:
        raise InputError(f"{name}: the manifest has no namespace, which is part of the host's name: give --namespace")
    given = release.spec.prometheus or release.policy.prometheus
    arms = arms_of_manifest(found, place, server.reporter_for(given), server.fence)
    try:
        asked = inquiries(release.policy, arms)
        slots = period.slots(release.spec.interval)
        totals = asyncio.run(_totals(Prometheus(server.connection(given)), asked, slots))
    except (QueryError, CredentialsError) as error:
        raise InputError(f"{name}: {error}") from error
    return _seen(release, arms, asked[0], totals, period)


async def _totals(prometheus: Prometheus, asked: Sequence[Inquiry], slots: Sequence[Slot]) -> Mapping[str, Total]:
    try:
        await require_answer(prometheus, slots[-1].end)
        return await read_totals(Desk(prometheus), asked, slots)
    finally:
        await prometheus.close()


def _seen(release: Release, arms: Arms, requests: Inquiry, totals: Mapping[str, Total], period: Period) -> Seen:
    guard = totals[GUARD]
    if not isinstance(guard.sample, Counts) or not guard.sample.n:
        raise InputError(_nothing_of(arms, requests, guard, period))
    rate = float(guard.sample.x / guard.sample.n)
    others: dict[str, Sample] = {}
    lacking: dict[str, str] = {}
    for metric in (each for each in release.policy.metrics if each.is_gating):
        total = totals[metric.name]
        if metric in release.failing:
            rate = _failing(metric, total, rate)
        elif isinstance(total.sample, PLANNABLE) and amount(total.sample) > 0:
            others[metric.name] = times(total.sample, 1 / total.seconds)
        else:
            lacking[metric.name] = _why(total)
    known = guard.seconds / period.length.total_seconds()
    return Seen(period, min(1.0, known), Requests(float(guard.sample.n) / guard.seconds, rate, others), lacking)


def _failing(metric: Metric, total: Total, otherwise: float) -> float:
    """The share of requests that fail in the metric's own sense."""
    if not isinstance(total.sample, Counts) or not total.sample.n:
        return otherwise
    counts = total.sample if metric.effective_better == "lower" else total.sample.failures
    return float(counts.x / counts.n)


def _why(total: Total) -> str:
    if total.doubt is not None:
        return f"{total.doubt.missing.value}{f' ({total.doubt.detail})' if total.doubt.detail else ''}"
    return "no traffic" if isinstance(total.sample, PLANNABLE) else "a level, which is not foretold"


def _nothing_of(arms: Arms, requests: Inquiry, guard: Total, period: Period) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in arms.stable.series)
    told = f"no requests of {arms.host} with {labels} from {period}: "
    if guard.doubt is not None:
        return told + str(guard.doubt)
    return f"{told}did it serve then? Choose the time with --from and --to. Query: {requests.question.text}"

"""Statuses as an operator leaves them: a rollout played through without a cluster, with twenty summaries of history."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.scale.objects import TICK, WEIGHT, Canary, Object
from serinus.api import CanaryDeploymentStatus, Phase, RecordStatus
from serinus.controller.cache import Cache
from serinus.controller.gather import read_manifest, read_subject
from serinus.judge import GUARD, Counts, Events, Evidence, Histogram, State, Tick, judge
from serinus.rollout import Judged, Live, SetWeight, Subject, Timing, advance

_TICKS = 20  # that have been judged
_HISTORY = 20
_TIMING = Timing(settle=timedelta(), lead=timedelta())
_BOUNDS = (5.0, 25.0, 100.0, 500.0, 2500.0, np.inf)
_LABELS: tuple[Mapping[str, str], Mapping[str, str]] = ({"version": "v1"}, {"version": "v2"})


@dataclass(frozen=True)
class Standing:
    """Where a canary stands: its status, and the weight and decision that its VirtualService carries."""

    status: CanaryDeploymentStatus
    weight: int

    @property
    def decision(self) -> str:
        """The id of the last decision."""
        assert self.status.rollout is not None
        return self.status.rollout.decision

    def of(self, subject: Subject) -> "Standing":
        """The same of another canary."""
        assert self.status.rollout is not None
        ours = f"{subject.name}-{subject.uid[:8]}"
        decision = f"{ours}/{self.decision.rpartition('/')[2]}"
        rollout = self.status.rollout.model_copy(
            update={
                "id": ours,
                "release": subject.release,
                "snapshot": subject.plan.pack(),
                "policy_hash": subject.plan.digest(),
                "decision": decision,
                "observed": decision,
            }
        )
        return replace(self, status=self.status.model_copy(update={"rollout": rollout}))


def subject_of(created: Object) -> Subject:
    """The subject that the operator makes of a CanaryDeployment."""
    cache = Cache()
    return read_subject(created, read_manifest(created, cache, None), cache, (), ())


def progressing(now: float) -> Standing:
    """Under way since some ticks, judged until the last boundary before Unix time `now`."""
    return _play(now, bad=False)


def rolled_back(now: float) -> Standing:
    """Ended by a regression."""
    return _play(now, bad=True)


def promoted(now: float) -> Standing:
    """Ended well."""
    played = _play(now, bad=False).status
    assert played.rollout is not None
    at = datetime.fromtimestamp(now, tz=UTC)
    rollout = played.rollout.model_copy(update={"step": 1, "ended_at": at})
    update = {"phase": Phase.PROMOTED, "weight": 100, "step": 2, "next_step_time": None, "rollout": rollout}
    return Standing(played.model_copy(update=update), 100)


def _play(now: float, *, bad: bool) -> Standing:
    subject = _subject()
    end = (now // TICK) * TICK
    at = datetime.fromtimestamp(end - (_TICKS + 1) * TICK, tz=UTC)
    status, live = CanaryDeploymentStatus(history=_history(at)), Live((0,), "", *_LABELS)
    while status.phase is not Phase.PROGRESSING or status.rollout is None or not status.rollout.observed:
        status, live = _turn(subject, status, live, None, at)
    policy = subject.plan.judged_by
    state = State.start(policy)
    random = np.random.default_rng(1)
    for number in range(_TICKS):
        at = datetime.fromtimestamp(end - (_TICKS - 1 - number) * TICK, tz=UTC)
        errors = 0.2 if bad else 0.001
        state, rows, verdict = judge(policy, state, _tick(random, errors), window=960)
        queries = {metric.name: f"istio_requests_total{{{'x' * 200}}}" for metric in policy.metrics}
        status, live = _turn(subject, status, live, Judged(at, state, rows, verdict, queries), at)
        if status.phase.is_end:
            break
    status, live = _turn(subject, status, live, None, at)
    return Standing(status, status.weight)


def _turn(
    subject: Subject, status: CanaryDeploymentStatus, live: Live, judged: Judged | None, now: datetime
) -> tuple[CanaryDeploymentStatus, Live]:
    """One turn, and the mesh as it asks for."""
    outcome = advance(subject, status, live, judged, now=now, timing=_TIMING)
    if isinstance(outcome.intent, SetWeight):
        live = replace(live, weights=(outcome.intent.weight,), decision=outcome.intent.decision)
    return outcome.status, live


def _tick(random: np.random.Generator, errors: float) -> Tick:
    stable, canary = (Counts(1000.0, float(random.binomial(1000, rate))) for rate in (0.001, errors))
    latency = [
        Histogram(_BOUNDS, np.cumsum(random.multinomial(1000, [0.1, 0.2, 0.4, 0.2, 0.08, 0.02])).astype(float))
        for _ in range(2)
    ]
    both = Evidence(canary=canary, stable=stable)
    share = Evidence(canary=Events(1000.0, WEIGHT / 100), stable=Events(1000.0, 1 - WEIGHT / 100))
    return Tick(
        step=0,
        evidence={
            GUARD: both,
            "error-rate": both,
            "latency": Evidence(canary=latency[0], stable=latency[1]),
            "share": share,
        },
    )


def _subject() -> Subject:
    made = Canary("scale-0", "service-0").manifest()
    metadata = {**made["metadata"], "uid": "00000000-0000-0000-0000-000000000000", "generation": 1}
    return subject_of({**made, "metadata": metadata})


def _history(before: datetime) -> tuple[RecordStatus, ...]:
    """Summaries of rollouts before this one."""
    return tuple(
        RecordStatus(
            id=f"service-0-1a2b3c4d/{number + 1}",
            time=before - timedelta(minutes=15 * (_HISTORY - number)),
            actor="serinus",
            verdict="promote",
            reason="WithinMargins",
            weight_before=5 * number,
            weight_after=5 * number + 5,
            hash=f"{number:064x}",
        )
        for number in range(_HISTORY)
    )

"""A rollout played through without a cluster: the mesh is a value, time is a number, the judge says what it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serinus.api import DEFAULT_POLICY, CanaryDeployment, CanaryDeploymentStatus
from serinus.judge import State, Verdict
from serinus.rollout import (
    NOBODY,
    Judged,
    Live,
    Obstacle,
    Outcome,
    People,
    Plan,
    PointSubset,
    Record,
    SetWeight,
    Subject,
    Timing,
    advance,
    judge_policy,
    release_of,
)

TIMING = Timing(settle=timedelta(seconds=10), lead=timedelta(seconds=0.25))
START = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


def subject(**spec: Any) -> Subject:
    """A CanaryDeployment v1 → v2 over 10/50/100, changed by `spec`."""
    manifest = {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryDeployment",
        "metadata": {"name": "predictor", "namespace": "ml"},
        "spec": {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {
                "host": "predictor",
                "virtualServices": [{"name": "predictor"}],
                "destinationRule": "predictor",
            },
            "ladder": [
                {"weight": 10, "window": "30s"},
                {"weight": 50, "window": "30s"},
                {"weight": 100, "window": "0s"},
            ],
        }
        | spec,
    }
    read = CanaryDeployment.model_validate(manifest).spec
    return Subject(
        namespace="ml",
        name="predictor",
        uid="uid-1",
        generation=1,
        release=release_of(read),
        plan=Plan.of(read, DEFAULT_POLICY),
        paused=read.paused,
        deadline=read.deadline,
        rolls_back_undecided=read.when_undecided == "rollback",
        warm_up_requests=(read.warm_up.requests or ()) if read.warm_up else (),
    )


@dataclass
class Play:
    """One CanaryDeployment with its mesh and its clock; `turn` is one reconcile."""

    subject: Subject = field(default_factory=subject)
    status: CanaryDeploymentStatus = field(default_factory=CanaryDeploymentStatus)
    live: Live = field(default_factory=lambda: Live((0,), "", {"version": "v1"}, {"version": "v2"}))
    now: datetime = START
    records: list[Record] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    obstacle: Obstacle | None = None
    people: People = NOBODY

    def turn(self, verdict: str | None = None, reason: str = "Told", *, write: bool = True) -> Outcome:
        """One turn; with `verdict` a slot that ends now has just been judged. `write`: the intent is carried out."""
        judged = None if verdict is None else self._judged(verdict, reason)
        mesh = self.obstacle or self.live
        outcome = advance(self.subject, self.status, mesh, judged, now=self.now, timing=TIMING, people=self.people)
        self.status = outcome.status
        self.records.extend(outcome.records)
        if write and outcome.intent is not None:
            self._write(outcome.intent)
        return outcome

    def settle(self) -> None:
        """Turn until nothing is asked for any more, waiting as told."""
        for _ in range(30):
            before = self.status
            outcome = self.turn()
            rests = outcome.intent is None and self.status == before
            if rests and (outcome.wake is None or outcome.wake <= self.now):
                return
            if rests and outcome.wake is not None:
                self.now = outcome.wake
        raise AssertionError(f"the rollout does not come to rest: {self.status}")

    def judged(self, verdict: str, after: float = 15, reason: str = "Told") -> None:
        """Time passes, a slot is judged, and the rollout comes to rest."""
        self.now += timedelta(seconds=after)
        self.turn(verdict, reason)
        self.settle()

    def _judged(self, verdict: str, reason: str) -> Judged:
        state = State.start(judge_policy(self.subject.plan.policy, 4))
        return Judged(self.now, state, (), Verdict(verdict, reason, f"{verdict}: as told"))  # type: ignore[arg-type]

    def _write(self, intent: PointSubset | SetWeight) -> None:
        if isinstance(intent, SetWeight):
            self.live = replace(self.live, weights=(intent.weight,) * len(self.live.weights), decision=intent.decision)
            self.weights.append(intent.weight)
            return
        serving = "canary" if self.live.canary_serves else "stable"
        known = getattr(self.live, intent.subset)
        repaired = bool(self.status.history) and self.status.history[-1].verdict == "repair"
        assert intent.subset != serving or known is None or repaired, "a subset with traffic is never re-pointed"
        labels: dict[str, Mapping[str, str]] = {intent.subset: intent.labels}
        self.live = replace(self.live, **labels)  # type: ignore[arg-type]


def condition(play: Play, kind: str) -> tuple[str, str]:
    """Status and reason of a condition."""
    found = next(each for each in play.status.conditions if each.type == kind)
    return found.status, found.reason


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def climbing(play: Play) -> Play:
    """A rollout whose first step is on the mesh."""
    play.settle()
    assert play.live.weight == 10
    return play

"""I1 and I2 against all that can happen, in any order: verdicts, clocks, edits, drift, pods, crashes, lost writes.

The model is one CanaryDeployment with its mesh: the status that the cluster has, the one that the operator remembers,
and a judge that says what hypothesis likes. Every write is checked when it is made; whatever happened, left alone the
rollout comes to rest with mesh and status agreeing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.persistence import says_more
from serinus.judge import State, Verdict
from serinus.rollout import (
    Judged,
    Live,
    Obstacle,
    Outcome,
    Plan,
    PointSubset,
    Record,
    Restart,
    SetWeight,
    Subject,
    WarmUpCall,
    WarmUpReply,
    Workload,
    advance,
    is_uneventful,
    judge_policy,
    plan_in_force,
)
from serinus.rollout.phases import BEFORE_TRAFFIC, UNDER_WAY
from tests.rollout.conftest import START, TIMING, subject

TRAFFIC = {"host": "predictor", "virtualServices": [{"name": "predictor"}], "destinationRule": "predictor"}
LADDERS = [
    [{"weight": 10, "window": "30s"}, {"weight": 50, "window": "30s"}, {"weight": 100, "window": "0s"}],
    [{"weight": 50, "window": "15s"}, {"weight": 100, "window": "60s"}],
    [{"weight": 1, "window": "1m"}, {"weight": 99, "window": "15s"}, {"weight": 100, "window": "0s"}],
]
WORKLOADS = {
    "stable": {"kind": "Deployment", "name": "predictor-v1"},
    "canary": {"kind": "Deployment", "name": "predictor-v2"},
}
ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
EDITS = [
    *({"ladder": ladder} for ladder in LADDERS),
    *(
        {arm: {"subset": arm, "labels": {"version": version}} for arm, version in (("stable", old), ("canary", new))}
        for old, new in (("v1", "v2"), ("v1", "v3"), ("v2", "v3"))
    ),
    *({"revision": revision} for revision in ("a", "b")),
    *({"policy": {"minRequests": least, "metrics": [ERRORS]}} for least in (50, 500)),
    *({"paused": paused} for paused in (True, False, False)),
    *({"deadline": "5m", "whenUndecided": undecided} for undecided in ("hold", "rollback")),
    *({"traffic": {**TRAFFIC, "onDrift": on_drift}} for on_drift in ("repair", "respect")),
    *({"workloads": workloads} for workloads in (WORKLOADS, WORKLOADS, None)),
    *({"warmUp": warm_up} for warm_up in ({"duration": "5s", "requests": [{"path": "/"}]}, None)),
]
HAPPENINGS = (
    *[st.tuples(st.just("nothing"), st.none())] * 3,
    st.tuples(st.just("deleted"), st.none()),
    st.tuples(st.just("clock_is_set"), st.sampled_from([-1, 1])),
    st.tuples(st.just("spec_is_edited"), st.sampled_from(EDITS)),
    st.tuples(st.just("weights_are_written"), st.lists(st.integers(0, 100), min_size=1, max_size=2).map(tuple)),
    st.tuples(
        st.just("subset_is_written"),
        st.tuples(st.sampled_from(["stable", "canary"]), st.sampled_from([None, {"version": "v9"}])),
    ),
    st.tuples(
        st.just("pods_change"),
        st.tuples(st.sampled_from(["stable_ready", "canary_ready"]), st.sampled_from([None, 0, 1, 1])),
    ),
    st.tuples(st.just("routes_change"), st.sampled_from([True, False, False])),
    st.tuples(st.just("replicas_change"), st.integers(0, 10)),
    st.tuples(
        st.just("template_changes"),
        st.tuples(st.sampled_from(["stable_workload", "canary_workload"]), st.sampled_from(["a", "b"])),
    ),
    st.tuples(st.just("pod_restarts"), st.none()),
    st.tuples(st.just("endpoints_answer"), st.sampled_from(["well", "well", "badly", None])),
)
WORKLOAD = Workload("a", ("predictor:a",), wanted=10, ready=10, rolled_out=True)
TURNS = st.tuples(
    st.floats(0.1, 40),
    st.sampled_from(["promote"] * 5 + ["hold", "rollback", None, None, None]),
    st.sampled_from(["lives"] * 8 + ["before status", "before mesh", "answer lost"]),
)


class Rollouts(RuleBasedStateMachine):
    """What may happen to one CanaryDeployment; see the module."""

    @initialize()
    def begin(self) -> None:
        self.spec: dict[str, Any] = {}
        self.leaving = False
        self.now = START
        self.cluster = CanaryDeploymentStatus()
        self.memory = self.cluster
        self.live = Live(
            (0,), "", {"version": "v1"}, {"version": "v2"}, stable_workload=WORKLOAD, canary_workload=WORKLOAD
        )
        self.obstacle: Obstacle | None = None
        self.records: list[Record] = []
        self.newest, self.judged_at = "", START  # the verdict of the last tick that was judged, and its end
        self.forgotten: str | None = None
        self.on_mesh_since: datetime | None = None  # of the weight of the step under way, undisturbed
        self.gone = False
        self.called: WarmUpCall | None = None
        self.endpoints: str | None = "well"  # how they answer a warm-up; None: not at all
        self.warmed: set[str] = set()
        self.calm: tuple[Subject, Live, datetime | None] | None = None  # what the last turn found, if it left all done

    # What the operator does

    @rule(happening=st.one_of(*HAPPENINGS), turns=st.lists(TURNS, min_size=1, max_size=12))
    def something_happens(self, happening: tuple[str, Any], turns: list[tuple[float, str | None, str]]) -> None:
        what, how = happening
        getattr(self, what)(how)
        for seconds, verdict, fate in turns:
            self.now += timedelta(seconds=seconds)
            self.turn(verdict, fate)

    def turn(self, verdict: str | None, fate: str) -> None:
        if self.gone:
            return
        now_subject = self._subject()
        live = self._live(now_subject)
        reply = self._reply()
        # What an operator judged and did not write is judged again by the next one, to the same verdict.
        verdict = self.forgotten or verdict
        judged = self._judged(verdict) if verdict and self._can_judge() else None
        self.forgotten = None
        outcome = advance(
            now_subject, self.memory, self.obstacle or live, judged, now=self.now, timing=TIMING, warmed=reply
        )
        self.called = outcome.warm_up
        self._check_calm(now_subject, live, judged, outcome)
        self._check_records(outcome, now_subject)
        if isinstance(outcome.intent, SetWeight) and outcome.intent.urgent:
            self._write(outcome)
        if fate == "before status":
            self.memory, self.forgotten = self.cluster, verdict if judged else None
            return
        self.memory = self.cluster = outcome.status
        self.records.extend(outcome.records)
        if fate == "before mesh":
            return
        if outcome.intent is not None and not (isinstance(outcome.intent, SetWeight) and outcome.intent.urgent):
            self._write(outcome)
        if outcome.let_go and outcome.intent is None:
            self._check_let_go()
            self.gone = True
        if fate == "answer lost":
            self.memory = self.cluster

    # What the world does

    def clock_is_set(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        if hours < 0 and self.on_mesh_since is not None:
            self.on_mesh_since += timedelta(hours=hours)  # as long ago as it was

    def spec_is_edited(self, spec: dict[str, Any]) -> None:
        self.spec |= spec

    def weights_are_written(self, weights: tuple[int, ...]) -> None:
        self.live = replace(self.live, weights=weights)
        self.on_mesh_since = None

    def subset_is_written(self, subset: tuple[str, dict[str, str] | None]) -> None:
        if self.cluster.phase in UNDER_WAY:  # before, only the owner can put it right
            arm, labels = subset
            self.live = replace(self.live, **{arm: labels})  # type: ignore[arg-type]

    def pods_change(self, pods: tuple[str, int | None]) -> None:
        arm, ready = pods
        self.live = replace(self.live, **{arm: ready})  # type: ignore[arg-type]

    def routes_change(self, there: bool) -> None:
        self.obstacle = Obstacle("RouteUnsuitable", "a third destination") if there else None

    def replicas_change(self, ready: int) -> None:
        self.live = replace(self.live, canary_workload=replace(self._canary, ready=ready, rolled_out=ready == 10))

    def template_changes(self, change: tuple[str, str]) -> None:
        arm, template = change
        self.live = replace(self.live, **{arm: replace(getattr(self.live, arm), template=template)})

    def pod_restarts(self, _: None) -> None:
        restart = Restart("predictor-v2-a", "app", "OOMKilled", self.now)
        self.live = replace(self.live, canary_workload=replace(self._canary, restarts=(restart,)))

    def endpoints_answer(self, how: str | None) -> None:
        self.endpoints = how

    def nothing(self, _: None) -> None:
        pass

    def deleted(self, _: None) -> None:
        self.leaving = len(self.records) > 3

    # What must hold

    def _write(self, outcome: Outcome) -> None:
        intent, status = outcome.intent, outcome.status
        assert status.rollout is not None
        if isinstance(intent, PointSubset):
            has_traffic = self.live.weight > 0 if intent.subset == "canary" else min(self.live.weights) < 100
            repairs = bool(outcome.records) and outcome.records[-1].verdict == "repair"
            is_missing = getattr(self.live, intent.subset) is None
            assert not has_traffic or is_missing or repairs, "a subset that has traffic is never pointed elsewhere"
            self.live = replace(self.live, **{intent.subset: dict(intent.labels)})  # type: ignore[arg-type]
            return
        assert isinstance(intent, SetWeight)
        assert intent.weight == status.weight, "only what the status says is written"
        if intent.weight < self.live.weight:
            assert self.live.stable_ready != 0, "users are sent to a dead stable"
        if intent.weight > min(self.live.weights):
            granted = [r for r in (*self.records, *outcome.records) if r.rollout == status.rollout.id]
            assert any(r.verdict in ("start", "promote") and r.weight_after == intent.weight for r in granted), "I1"
        self.live = replace(self.live, weights=(intent.weight,) * len(self.live.weights), decision=intent.decision)
        self.on_mesh_since = self.now

    def _check_calm(self, now_subject: Subject, live: Live, judged: Judged | None, outcome: Outcome) -> None:
        """A tick that is called uneventful would have changed nothing, had it been put into words."""
        says_nothing = outcome.intent is None and not outcome.records and not says_more(self.memory, outcome.status)
        if judged is not None and judged.verdict.verdict == "hold" and self.calm is not None and self.obstacle is None:
            before, world, due = self.calm
            is_as_it_was = (before, world) == (now_subject, live) and (due is None or self.now < due)
            if is_as_it_was and is_uneventful(self.memory, judged.verdict.reason, judged.at):
                assert says_nothing
                assert not outcome.asks
                assert outcome.warm_up is None
                assert outcome.drift is None
        is_done = says_nothing and outcome.drift is None and self.obstacle is None
        self.calm = (now_subject, live, outcome.wake) if is_done else None

    def _check_records(self, outcome: Outcome, by: Subject) -> None:
        for record in outcome.records:
            if record.verdict not in ("start", "promote"):
                continue
            ladder = [step.weight for step in record.plan.ladder]
            before = 0 if record.verdict == "start" else record.weight_before
            expected = ladder[0] if record.verdict == "start" else ladder[ladder.index(before) + 1]
            assert (record.weight_before, record.weight_after) == (before, expected), "a step was skipped or repeated"
            if record.verdict == "promote":
                self._check_promotion(record)
            if record.plan.workloads is not None:
                assert self._canary.ready >= 0.8 * record.weight_after / 100 * 10, "the pods can't carry the weight"
            if record.verdict == "start" and by.warm_up_requests:
                assert any(key.startswith(record.rollout) for key in self.warmed), "R09: the canary is cold"

    def _check_promotion(self, record: Record) -> None:
        assert self.newest == "promote", "I1: the newest verdict is not promote"
        assert self.now - self.judged_at < 2 * record.plan.interval + TIMING.settle, "I1: the verdict is out of date"
        assert not self.spec.get("paused", False)
        assert self.obstacle is None
        assert self.live.carries(record.weight_before), "I1: the mesh is not as it was decided"
        if record.plan.workloads is not None and self.cluster.rollout and self.cluster.rollout.step_started_at:
            assert not self._canary.restarts_since(self.cluster.rollout.step_started_at), "a pod was restarted"
        window = record.plan.ladder[record.step].window
        assert self.on_mesh_since is not None
        assert self.now - self.on_mesh_since >= window, "I2: the window is not over"

    def _check_let_go(self) -> None:
        rollout = self.cluster.rollout
        touched = rollout is not None and rollout.decision != ""
        if self.obstacle is None and touched and self.cluster.phase is not Phase.PROMOTED and self.on_mesh_since:
            assert self.live.carries(0) or self.live.carries(100), "I7: users of a deleted object are on two versions"

    @invariant()
    def the_phase_fits_the_weight(self) -> None:
        status = self.cluster
        if status.phase in (Phase.ROLLED_BACK, Phase.FAILED, Phase.WARMING_UP):
            assert status.weight == 0
        if status.phase is Phase.PROMOTED:
            assert status.weight == 100
        if status.phase in UNDER_WAY:
            assert status.rollout is not None
            plan = Plan.unpack(status.rollout.snapshot)
            assert status.weight == plan.ladder[status.rollout.step].weight

    @invariant()
    def records_are_a_chain(self) -> None:
        for before, after in pairwise(self.records):
            assert after.previous_hash == before.digest()
        assert len({record.id for record in self.records}) == len(self.records)

    def teardown(self) -> None:
        """Left alone, with pods that are ready and routes that can be read, mesh and status agree (I4)."""
        if not hasattr(self, "live") or self.gone:
            return
        self.live = replace(self.live, stable_ready=None, canary_ready=None)
        self.obstacle, self.spec["paused"], self.leaving = None, True, False
        self.spec["traffic"] = TRAFFIC
        for _ in range(60):
            self.turn("hold", "lives")
            self.now += timedelta(seconds=30)
        agree = self.live.carries(self.cluster.weight)
        plan = plan_in_force(self._subject(), self.cluster)
        respects = plan.traffic.on_drift == "respect"
        assert agree or respects or self.cluster.phase in BEFORE_TRAFFIC, self.cluster

    @property
    def _canary(self) -> Workload:
        assert self.live.canary_workload is not None
        return self.live.canary_workload

    def _subject(self) -> Subject:
        now = replace(subject(**self.spec), leaving=self.leaving)
        return now if now.plan.workloads is None else replace(now, template=self._canary.template)

    def _live(self, now: Subject) -> Live:
        """The mesh, with workloads where the plan that it is read by names some."""
        if plan_in_force(now, self.memory).workloads is not None:
            return self.live
        return replace(self.live, stable_workload=None, canary_workload=None)

    def _reply(self) -> WarmUpReply | None:
        """The answers to what the last turn sent."""
        if self.called is None or self.endpoints is None:
            return None
        if self.endpoints == "well":
            self.warmed.add(self.called.key)
        return WarmUpReply(self.called.key, 1, 1, "" if self.endpoints == "well" else "status 500")

    def _can_judge(self) -> bool:
        rollout = self.memory.rollout
        return (
            rollout is not None
            and self.memory.phase in UNDER_WAY
            and not self.leaving
            and (rollout.step_started_at is not None or rollout.judged_until is not None)
            and self.obstacle is None
            and (rollout.judged_until is None or self.now > rollout.judged_until)
        )

    def _judged(self, word: str) -> Judged:
        assert self.memory.rollout is not None
        self.newest, self.judged_at = word, self.now
        plan = Plan.unpack(self.memory.rollout.snapshot)
        state = State.start(judge_policy(plan.policy, 4))
        return Judged(self.now, state, (), Verdict(word, "Told", f"{word}: as told"))  # type: ignore[arg-type]


TestRollouts = Rollouts.TestCase
TestRollouts.settings = settings(max_examples=80, stateful_step_count=12, deadline=None)

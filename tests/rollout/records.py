"""Records as an operator would write them, with the judge's real answers, and no cluster."""

from datetime import datetime, timedelta

from serinus.api import CanaryDeployment
from serinus.api.status import VerdictWord
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge
from serinus.rollout import NO_TRAIL, JudgedTick, Plan, Record, judge_policy
from serinus.rollout.present import row_status

_REQUESTS = 1000
_TICK = timedelta(seconds=15)


class Book:
    """One rollout's records: what is observed goes into the next record that is taken."""

    def __init__(self, name: str, author: str | None = None, *, start: datetime) -> None:
        spec = {
            "stable": {"subset": "stable", "labels": {"version": "v1"}},
            "canary": {"subset": "canary", "labels": {"version": "v2"}},
            "traffic": {"host": name, "virtualServices": [{"name": name}], "destinationRule": name},
            "policy": {
                "metrics": [{"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}]
            },
        }
        metadata = {"name": name, "namespace": "ml"}
        read = CanaryDeployment.model_validate(
            {"apiVersion": "serinus.io/v1alpha1", "kind": "CanaryDeployment", "metadata": metadata, "spec": spec}
        ).spec
        assert read.policy is not None
        self.name, self.author, self.now = name, author, start
        self.plan = Plan.of(read, read.policy)
        self.policy = judge_policy(self.plan.policy, self.plan.planned_ticks())
        self.state = State.start(self.policy)
        self.trail = NO_TRAIL
        self.comparison: tuple[object, ...] = ()
        self.weight = 0
        self.records: list[Record] = []

    def observe(self, ticks: int, *, canary_errors: float) -> None:
        """So many ticks of 1000 requests in each arm; 1 % of the stable's fail."""
        for _ in range(ticks):
            seen = Evidence(Counts(_REQUESTS, _REQUESTS * canary_errors), Counts(_REQUESTS, 10))
            tick = Tick(step=0, evidence={"error-rate": seen, GUARD: seen})
            before = self.state
            self.state, rows, verdict = judge(self.policy, before, tick, window=2)
            self.now += _TICK
            judged = JudgedTick(before, tick, 2, self.now, max(row.rollback for row in rows))
            self.trail = self.trail.after(judged).answered(verdict, self.now)
            self.comparison = tuple(row_status(row, reporter="source") for row in rows)

    def take(
        self,
        verdict: str,
        *,
        weight: int | None = None,
        actor: str = "serinus",
        because: str | None = None,
        overruled: VerdictWord | None = None,
    ) -> Record:
        """Take a decision."""
        self.now += timedelta(seconds=1)
        rollout = f"{self.name}-0a1b2c3d"
        record = Record(
            id=f"{rollout}/{len(self.records) + 1}",
            rollout=rollout,
            namespace="ml",
            name=self.name,
            author=self.author,
            time=self.now,
            actor=actor,
            verdict=verdict,
            reason="Override" if because else "Told",
            message=f"{verdict}: as told",
            because=because,
            overruled=overruled,
            step=0,
            weight_before=self.weight,
            weight_after=self.weight if weight is None else weight,
            comparison=self.comparison,
            plan=self.plan,
            policy_hash=self.plan.digest(),
            evidence=self.trail.record(),
            previous_hash=self.records[-1].digest() if self.records else "",
        )
        self.weight, self.trail = record.weight_after, NO_TRAIL
        self.records.append(record)
        return record

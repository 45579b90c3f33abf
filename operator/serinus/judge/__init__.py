"""The judge: from both arms' counts, tick by tick, to promote, hold or rollback, with error rates that hold.

Pure and small to import: no cluster, no clock, no I/O. Ten lines of use:

    from serinus.judge import GUARD, Boundary, Counts, Evidence, Policy, Proportion, State, Tick, judge

    two_points = Boundary(delta=0.02)
    errors = Proportion("error-rate", tolerance=two_points, margin=two_points)
    policy = Policy(metrics=(errors,), guard=two_points)
    state = State.start(policy)
    for canary, stable in [(Counts(300, 61), Counts(2700, 26))]:
        evidence = Evidence(canary, stable)
        tick = Tick(step=0, evidence={"error-rate": evidence, GUARD: evidence})
        state, comparison, verdict = judge(policy, state, tick, window=0)
    print(verdict.verdict, verdict.message)
"""

from serinus.judge.acknowledge import acknowledge
from serinus.judge.comparison import Row, nearest_to_rollback
from serinus.judge.counterfactual import Counterfactual, counterfactual
from serinus.judge.evidence import (
    Classes,
    Counts,
    Events,
    Evidence,
    Histogram,
    Missing,
    Past,
    Sample,
    Spread,
    Tick,
    Values,
)
from serinus.judge.findings import Finding, rolls_back
from serinus.judge.judge import answer, elevated, judge
from serinus.judge.kinds.memory import Arm
from serinus.judge.policy import (
    GUARD,
    Boundary,
    Distribution,
    Gauge,
    Latency,
    Metric,
    Policy,
    Proportion,
    Rate,
)
from serinus.judge.state import State, StateError
from serinus.judge.tick import settle
from serinus.judge.together import Case, Settled, kin, settle_together
from serinus.judge.verdict import Verdict, lasting_hold

__all__ = [
    "GUARD",
    "Arm",
    "Boundary",
    "Case",
    "Classes",
    "Counterfactual",
    "Counts",
    "Distribution",
    "Events",
    "Evidence",
    "Finding",
    "Gauge",
    "Histogram",
    "Latency",
    "Metric",
    "Missing",
    "Past",
    "Policy",
    "Proportion",
    "Rate",
    "Row",
    "Sample",
    "Settled",
    "Spread",
    "State",
    "StateError",
    "Tick",
    "Values",
    "Verdict",
    "acknowledge",
    "answer",
    "counterfactual",
    "elevated",
    "judge",
    "kin",
    "lasting_hold",
    "nearest_to_rollback",
    "rolls_back",
    "settle",
    "settle_together",
]

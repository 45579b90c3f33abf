"""The judge: from both arms' counts, tick by tick, to promote, hold or rollback, with error rates that hold.

Pure and small to import: no cluster, no clock, no I/O. Ten lines of use:

    from serinus.judge import Boundary, Counts, Evidence, GUARD, Metric, Policy, State, Tick, judge

    two_points = Boundary(delta=0.02)
    errors = Metric("error-rate", tolerance=two_points, margin=two_points)
    policy = Policy(metrics=(errors,), guard=two_points)
    state = State.start(policy)
    for canary, stable in [(Counts(300, 61), Counts(2700, 26))]:
        evidence = Evidence(canary, stable)
        tick = Tick(step=0, evidence={"error-rate": evidence, GUARD: evidence})
        state, comparison, verdict = judge(policy, state, tick, window=0)
    print(verdict.verdict, verdict.message)
"""

from serinus.judge.comparison import Row
from serinus.judge.evidence import Counts, Evidence, Missing, Tick
from serinus.judge.judge import elevated, judge
from serinus.judge.policy import GUARD, Boundary, Metric, Policy
from serinus.judge.state import State, StateError
from serinus.judge.verdict import Verdict

__all__ = [
    "GUARD",
    "Boundary",
    "Counts",
    "Evidence",
    "Metric",
    "Missing",
    "Policy",
    "Row",
    "State",
    "StateError",
    "Tick",
    "Verdict",
    "elevated",
    "judge",
]

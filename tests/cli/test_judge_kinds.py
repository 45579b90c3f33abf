"""`serinus judge` on every kind of metric: regressions are rolled back, their like is promoted, silence is held."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from serinus.api import CanaryPolicy
from serinus.judge import Evidence, State, Tick, judge
from serinus.rollout import judge_policy
from serinus.rollout.present import row_status
from tests.cli.evidence import (
    BAD,
    CONVERSION,
    ERRORS,
    LATENCY,
    MEMORY,
    PREDICTION,
    RETRIES,
    Files,
    line,
    policy,
    text,
    verdicts,
)
from tests.cli.test_evidence_file import both

BOUNDS = ("5", "10", "25", "50", "100", "250", "500", "1000", "+Inf")


def buckets_of(requests: int, *, slow: bool) -> dict[str, Any]:
    """A service that answers half of its requests within 12 ms, or, `slow`, within 250 ms."""
    shares = (0, 0, 0.01, 0.05, 0.2, 0.5, 0.9, 1, 1) if slow else (0.1, 0.45, 0.85, 0.97, 0.996, 0.9996, 1, 1, 1)
    return {"buckets": {bound: round(requests * share) for bound, share in zip(BOUNDS, shares, strict=True)}}


@dataclass(frozen=True)
class Case:
    """A kind of metric: how it is judged, an arm without requests, and arms of a canary, good and bad, and a stable."""

    metric: dict[str, Any]
    silent: dict[str, Any]
    good: dict[str, Any]
    bad: dict[str, Any]
    stable: dict[str, Any]

    def line(self, tick: int, canary: dict[str, Any], /, **fields: Any) -> dict[str, Any]:
        return line(tick, **{"metric": self.metric["name"], "canary": canary, "stable": self.stable, **fields})


CASES = {
    "proportion": Case(CONVERSION, {"n": 0, "x": 0}, {"n": 300, "x": 30}, {"n": 300, "x": 3}, {"n": 2700, "x": 270}),
    "latency": Case(
        {**LATENCY, "tolerance": {"duration": "150ms"}},
        {"buckets": {"+Inf": 0, "50": 0}},
        buckets_of(300, slow=False),
        buckets_of(300, slow=True),
        buckets_of(2700, slow=False),
    ),
    "distribution": Case(
        PREDICTION,
        {"classes": {}},
        {"classes": {"pos": 180, "neg": 120}},
        {"classes": {"pos": 240, "neg": 60}},
        {"classes": {"pos": 1620, "neg": 1080}},
    ),
    "rate": Case(
        RETRIES,
        {"x": 0, "exposure": 0},
        {"x": 60, "exposure": 30.0},
        {"x": 120, "exposure": 30.0},
        {"x": 540, "exposure": 270.0},
    ),
}
EACH_KIND = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
TICKS = 60


def with_errors(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A good error rate beside each line: it counts the requests."""
    return [each for own in lines for each in (own, line(own["tick"], rollout=own["rollout"]))]


@EACH_KIND
def test_a_regression_is_rolled_back_by_the_metric_that_shows_it(case: Case) -> None:
    lines = with_errors([case.line(tick, case.bad) for tick in range(TICKS)])
    [found] = verdicts(lines, policy(ERRORS, case.metric))
    assert (found.verdict, found.code) == ("rollback", "Regression")
    assert found.reason.startswith(f"rolled back: {case.metric['name']}")
    assert found.comparison[0].verdict == "worse"
    assert found.comparison[0].metric.startswith(case.metric["name"])


@EACH_KIND
def test_the_like_of_the_stable_is_promoted(case: Case) -> None:
    lines = with_errors([case.line(tick, case.good) for tick in range(TICKS)])
    [found] = verdicts(lines, policy(ERRORS, case.metric))
    assert (found.verdict, found.code) == ("promote", "WithinMargins")


@EACH_KIND
@pytest.mark.parametrize("arm", ["canary", "stable"])
def test_an_arm_that_falls_silent_holds_and_is_forgiven_I3(arm: str, case: Case) -> None:
    good = [case.line(tick, case.good) for tick in range(TICKS)]
    silent = [case.line(TICKS, case.good, **{arm: case.silent})]
    again = [case.line(TICKS + tick, case.good) for tick in range(1, 4)]
    [held] = verdicts(with_errors(good + silent), policy(ERRORS, case.metric))
    assert (held.verdict, held.code) == ("hold", "NoTraffic")
    [promoted] = verdicts(with_errors(good + silent + again), policy(ERRORS, case.metric))
    assert promoted.verdict == "promote"


def test_a_latency_has_a_row_for_each_quantile_R19() -> None:
    case = CASES["latency"]
    [found] = verdicts([case.line(tick, case.good) for tick in range(5)], policy(LATENCY))
    assert sorted(row.metric for row in found.comparison) == [f"latency p{q}" for q in ("50", "90", "99", "99.9")]


def test_a_gauge_is_shown_and_decides_nothing() -> None:
    lines = [
        line(tick, metric="memory", canary={"values": [900.0, 910.0]}, stable={"values": [500.0, 510.0, 505.0]})
        for tick in range(TICKS)
    ]
    [found] = verdicts(with_errors(lines), policy(ERRORS, MEMORY))
    assert found.verdict == "promote"
    [row] = [row for row in found.comparison if row.metric == "memory"]
    assert (row.canary.estimate, row.stable.estimate) == (905.0, 505.0)
    assert not row.gating


@pytest.mark.parametrize("values", [[], [0.0, 5.0], [-1.0]])
def test_a_gauge_without_values_above_0_has_no_data_I3(values: list[float]) -> None:
    gating = {**MEMORY, "onRegression": "hold"}
    [found] = verdicts(
        with_errors([line(metric="memory", canary={"values": values}, stable={"values": [1.0]})]),
        policy(ERRORS, gating),
    )
    assert (found.verdict, found.code) == ("hold", "NoTraffic")


def test_one_tick_may_have_all_kinds() -> None:
    manifest = policy(ERRORS, *(case.metric for case in CASES.values()), MEMORY)
    memory = {"canary": {"values": [5.0]}, "stable": {"values": [5.0]}}
    good = [
        [case.line(tick, case.good) for case in CASES.values()] + [line(tick, metric="memory", **memory), line(tick)]
        for tick in range(TICKS)
    ]
    [found] = verdicts([each for tick in good for each in tick], manifest)
    assert found.verdict == "promote"
    assert len({row.metric.split()[0] for row in found.comparison}) == len(manifest["spec"]["metrics"])


def test_not_worse_promotes_before_proof_and_says_so() -> None:
    manifest = policy({**ERRORS, "tolerance": {"absolute": 0.001}})
    lines = [line(tick, (3, 27)) for tick in range(3)]
    assert verdicts(lines, manifest)[0].verdict == "hold"
    manifest["spec"]["promoteOn"] = "notWorse"
    [found] = verdicts(lines, manifest)
    assert (found.verdict, found.code) == ("promote", "NotWorse")
    assert verdicts([line(tick, BAD) for tick in range(3)], manifest)[0].verdict == "rollback"


@EACH_KIND
def test_judging_a_file_is_using_the_library(case: Case) -> None:
    manifest = policy(case.metric)
    lines = [case.line(tick, case.bad if tick == 4 else case.good, step=tick // 3) for tick in range(9)]
    judges = judge_policy(CanaryPolicy.model_validate(manifest).spec, 240)
    state = State.start(judges)
    for each in lines:
        canary, stable = both(each["metric"], each["canary"], each["stable"])
        state, rows, verdict = judge(
            judges, state, Tick(each["step"], {each["metric"]: Evidence(canary, stable)}), window=0
        )
        if verdict.verdict == "rollback":
            break
    [found] = verdicts(lines, manifest)
    assert (found.verdict, found.code, found.reason) == (verdict.verdict, verdict.reason, verdict.message)
    assert found.comparison == tuple(row_status(row) for row in rows)


def test_the_table_stays_within_80_columns_for_every_kind(files: Files) -> None:
    files.policy.write_text(yaml.safe_dump(policy(*(case.metric for case in CASES.values()))))
    lines = [
        case.line(tick, case.bad if case is bad else case.good, rollout=name)
        for name, bad in CASES.items()
        for tick in range(10)
        for case in CASES.values()
    ]
    files.evidence.write_text(text(lines))
    rows = files.judge().stdout.splitlines()
    assert max(map(len, rows)) <= 80
    assert re.findall(r"^(\w+) +rollback", "\n".join(rows), re.MULTILINE) == list(CASES)

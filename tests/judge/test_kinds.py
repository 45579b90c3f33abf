"""What every kind of metric promises: to gain nothing where the canary is on the null, and to survive any input."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, xlogy

from serinus.judge import (
    GUARD,
    Boundary,
    Classes,
    Counts,
    Distribution,
    Events,
    Evidence,
    Gauge,
    Histogram,
    Latency,
    Past,
    Policy,
    Proportion,
    Rate,
    Row,
    Spread,
    State,
    Tick,
    Values,
    counterfactual,
    judge,
)
from serinus.judge.bets import Asked
from serinus.judge.bets import settle as settle_bets
from serinus.judge.findings import outcomes
from serinus.judge.kinds.distribution import OTHER, DistributionMemory
from serinus.judge.kinds.latency import LatencyMemory
from serinus.judge.kinds.memory import Bets
from serinus.judge.kinds.rate import RateMemory
from serinus.judge.tick import settle, settle_all
from tests.judge.traffic import CLASSES, EVERY_KIND, PAST, POINTS, Traffic, of_rollout

NO_EXCESS = np.zeros(1)
VERDICTS = {"promote": 1, "hold": 0, "rollback": -1}
QUIET = Evidence(Counts(300, 3), Counts(2700, 27))


def outcomes_of(n: int, p: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Every outcome of n draws from the classes p, with its probability."""
    for counts in product(range(n + 1), repeat=len(p)):
        if sum(counts) == n:
            x = np.array(counts, dtype=float)
            yield x, float(np.exp(gammaln(n + 1) - gammaln(x + 1).sum() + xlogy(x, p).sum()))


def settled(asked: Asked[Bets | None]) -> Bets:
    """The bets of which an Asked makes what came of its wagers."""
    bets = asked.finished(settle_bets(asked.wagers))
    assert bets is not None
    return bets


@settings(max_examples=25, deadline=None)
@given(weights=st.lists(st.floats(0.05, 1.0), min_size=4, max_size=4), history=st.integers(1, 10**6))
def test_no_shifted_latency_expects_to_gain(weights: list[float], history: int) -> None:
    """A canary slower by exactly the tolerance is on both nulls: neither side's e-value exceeds 1 on average."""
    bounds = (10.0, 20.0, 30.0, 40.0, 50.0, np.inf)
    stable = np.array([*weights, 0.0, 0.0]) / sum(weights)
    canary = np.roll(stable, 1)
    metric = Latency("latency", Boundary(delta=10.0), Boundary(delta=10.0), quantiles=(0.5, 0.9), gates=(0.5, 0.9))
    past = Past(Histogram(bounds, np.cumsum(np.array([3.0, 2.0, 2.0, 1.0, 0.0, 0.0])) * history))
    memory = LatencyMemory.start(metric, past, ())
    expected: np.ndarray | float = 0.0
    for (c, pc), (s, ps) in product(outcomes_of(3, canary), outcomes_of(3, stable)):
        if pc * ps > 0:
            seen = [Histogram(bounds, np.cumsum(each)) for each in (c, s)]
            bets = settled(memory.bets(metric, seen[0], seen[1], np.zeros(2), None))
            expected = expected + pc * ps * np.exp(np.concatenate([bets.rollback, bets.promote]))
    assert (np.asarray(expected) <= 1 + 1e-9).all()


@settings(max_examples=25, deadline=None)
@given(
    weights=st.lists(st.floats(0.1, 1.0), min_size=3, max_size=3),
    guess=st.lists(st.floats(0.1, 1.0), min_size=3, max_size=3),
    shift=st.floats(0.01, 0.2),
)
def test_no_distribution_at_its_tolerance_expects_to_gain(
    weights: list[float], guess: list[float], shift: float
) -> None:
    """TV = ε: the set of the rollback gains nothing, and neither does the set whose share rose, for the promotion."""
    stable = np.array(weights) / sum(weights)
    moved = min(shift, stable[2] / 2)
    canary = stable + np.array([moved, 0.0, -moved])
    metric = Distribution("classes", Boundary(delta=moved), Boundary(delta=moved))
    names = ("a", "b", "c")
    memory = DistributionMemory.start(metric, Past(Classes(names, 1000 * np.array([5.0, 3.0, 2.0]))), ())
    memory = replace(memory, recent_canary=np.array(guess))
    rose = 0  # set number 0 is {group 0}: class a, the most frequent
    expected = np.zeros(7)
    for (c, pc), (s, ps) in product(outcomes_of(3, canary), outcomes_of(3, stable)):
        bets = settled(memory.bets(metric, Classes(names, c), Classes(names, s), NO_EXCESS, None))
        expected += pc * ps * np.exp(np.array([*bets.rollback[0], bets.promote[rose, 0]]))
    assert (expected <= 1 + 1e-9).all()


@settings(max_examples=50, deadline=None)
@given(
    n=st.integers(1, 12),
    share=st.floats(0.01, 0.99),
    rho=st.floats(1.001, 3.0),
    kind=st.sampled_from(["lower", "higher", "two-sided"]),
)
def test_no_rate_at_its_tolerance_expects_to_gain(n: int, share: float, rho: float, kind: str) -> None:
    """Given all events, the canary's are binomial: at the tolerance neither side gains."""
    ratio = 1 / rho if kind == "higher" else rho
    limit = Boundary(rho=ratio)
    metric = Rate("retries", limit, limit, higher_is_better=kind == "higher", two_sided=kind == "two-sided")
    memory = RateMemory.start(metric, Past(), ())
    truth = ratio * share / (ratio * share + 1 - share)
    expected: np.ndarray | float = 0.0
    for x, p in outcomes_of(n, np.array([truth, 1 - truth])):
        bets = settled(memory.bets(metric, Events(x[0], share), Events(x[1], 1 - share), NO_EXCESS, None))
        expected = expected + p * np.exp(np.stack([bets.rollback[0], bets.promote[0]]))
    assert (np.asarray(expected) <= 1 + 1e-9).all()


def test_many_rollouts_at_once_are_judged_like_each_alone() -> None:
    """What the benchmark simulates is what the operator does: states and verdicts agree, for every kind."""
    traffic = Traffic(seed=5, batch=(4,))
    together = State.start(EVERY_KIND, PAST, rollouts=(4,))
    alone = [State.start(EVERY_KIND, PAST) for _ in range(4)]
    for number in range(8):
        tick = traffic.tick(step=number // 4)
        together = settle(EVERY_KIND, together, tick)
        found = outcomes(EVERY_KIND, together, tick, window=0)
        for index in range(4):
            alone[index], _, verdict = judge(EVERY_KIND, alone[index], of_rollout(tick, index), window=0)
            assert VERDICTS[verdict.verdict] == found[index]
            for one, many in zip(alone[index].ledgers, together.ledgers, strict=True):
                np.testing.assert_allclose(one.purse.rollback, many.purse.rollback[index], rtol=1e-4)
                np.testing.assert_allclose(one.purse.promote, many.purse.promote[index], rtol=1e-4, atol=1e-5)


def test_many_ticks_at_once_are_settled_like_one_after_the_other() -> None:
    traffic = Traffic(seed=11)
    ticks = [traffic.tick(step=number // 7) for number in range(20)]
    state = State.start(EVERY_KIND, PAST)
    for tick, together in zip(ticks, settle_all(EVERY_KIND, state, ticks), strict=True):
        state = settle(EVERY_KIND, state, tick)
        assert together.pack() == state.pack()


def test_stopping_and_resuming_at_any_tick_gives_the_same_bytes_for_every_kind() -> None:
    traffic = Traffic(seed=7)
    straight = resumed = State.start(EVERY_KIND, PAST)
    for number in range(12):
        tick = traffic.tick(step=number // 5)
        straight, _, _ = judge(EVERY_KIND, straight, tick, window=0)
        resumed, _, _ = judge(EVERY_KIND, State.unpack(resumed.pack(), EVERY_KIND), tick, window=0)
        assert resumed.pack() == straight.pack()


def test_the_state_of_eight_metrics_with_a_latency_of_four_quantiles_fits_in_a_status() -> None:
    """≤ 12 KB, with the bounds that a native histogram comes on."""
    bounds = (*(1000 * 2 ** (k / 8) for k in range(-106, 49)), np.inf)
    slow = Histogram(bounds, np.linspace(0, 2700, len(bounds)))
    latency = Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0))
    metrics = [Proportion(f"metric-{index}", POINTS, POINTS) for index in range(7)]
    policy = Policy(metrics=(latency, *metrics), guard=POINTS)
    tick = Tick(0, {"latency": Evidence(slow, slow), **{metric.name: QUIET for metric in metrics}, GUARD: QUIET})
    state = State.start(policy)
    for _ in range(3):
        state, _, _ = judge(policy, state, tick, window=0)
    assert len(state.pack()) <= 12_000


def test_order_and_names_of_metrics_change_nothing() -> None:
    traffic = Traffic(seed=11)
    renamed = {metric.name: f"z{metric.name[::-1]}" for metric in EVERY_KIND.metrics} | {GUARD: GUARD}
    metrics = tuple(replace(metric, name=renamed[metric.name]) for metric in reversed(EVERY_KIND.metrics))
    other = replace(EVERY_KIND, metrics=metrics)
    past = {renamed[name]: each for name, each in PAST.items()}
    states = [State.start(EVERY_KIND, PAST), State.start(other, past)]
    for _ in range(6):
        tick = traffic.tick()
        states[0], rows, verdict = judge(EVERY_KIND, states[0], tick, window=0)
        turned = replace(tick, evidence={renamed[name]: seen for name, seen in tick.evidence.items()})
        states[1], others, same = judge(other, states[1], turned, window=0)
        assert (verdict.verdict, verdict.reason) == (same.verdict, same.reason)
        told = {renamed[row.metric.name] + row.name[len(row.metric.name) :]: row for row in rows}
        for row in others:
            assert (row.rollback, row.promote, row.low, row.high) == pytest.approx(numbers(told[row.name]))


def numbers(row: Row) -> tuple[float | None, ...]:
    return row.rollback, row.promote, row.low, row.high


EMPTY = {
    "errors": Counts(),
    "latency": Histogram((100.0, np.inf), np.zeros(2)),
    "classes": Classes(CLASSES, np.zeros(9)),
    "retries": Events(),
    "throughput": Events(),
    "memory": Values(np.zeros(0)),
    GUARD: Counts(),
}


def test_an_empty_tick_leaves_every_wealth_as_it_was() -> None:
    """Nothing is gained; a rollback bet's small hedge and its new investments keep the whole as it was, too."""
    traffic = Traffic(seed=13)
    state = State.start(EVERY_KIND, PAST)
    for _ in range(3):
        state, before, _ = judge(EVERY_KIND, state, traffic.tick(), window=0)
    empty = Tick(0, {name: Evidence(sample, sample) for name, sample in EMPTY.items()})
    _, after, _ = judge(EVERY_KIND, state, empty, window=0)
    was = {row.name: row for row in before}
    for row in after:
        assert (row.rollback, row.promote) == pytest.approx((was[row.name].rollback, was[row.name].promote), abs=1e-6)


HUGE = st.integers(0, 10**12)
SHARE = st.floats(0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(n=st.tuples(HUGE, HUGE), share=st.tuples(SHARE, SHARE, SHARE, SHARE), size=st.floats(0.0, 1.0))
def test_every_kind_has_finite_answers_to_any_counts(n: tuple[int, int], share: tuple[float, ...], size: float) -> None:
    """No NaN and no infinity for 0 ≤ x ≤ n ≤ 10¹², extreme tolerances included."""
    line, factor = Boundary(delta=size), Boundary(rho=1 + size)
    policy = Policy(
        metrics=(
            Proportion("errors", line, line),
            Latency("latency", Boundary(delta=1e6 * size), Boundary(delta=1e6 * size)),
            Distribution("classes", line, line),
            Rate("retries", factor, factor),
            Gauge("memory", factor, factor),
        ),
        guard=line,
    )
    arms: dict[str, list] = {name: [] for name in (*(metric.name for metric in policy.metrics), GUARD)}
    for total, x, y in ((n[0], *share[:2]), (n[1], *share[2:])):
        events = float(round(total * x))
        low, high = sorted((round(total * x), round(total * y)))
        arms["errors"].append(Counts(float(total), events))
        arms["latency"].append(Histogram((1.0, 2.5, 1e4, np.inf), np.array([low, low, high, total], dtype=float)))
        arms["classes"].append(Classes(("a", "b", "c"), np.array([low, high - low, total - high], dtype=float)))
        arms["retries"].append(Events(events, float(total)))
        arms["memory"].append(Values(np.array([x * total, y * total])))
        arms[GUARD].append(Counts(float(total), events))
    tick = Tick(0, {name: Evidence(*both) for name, both in arms.items()})
    state = State.start(policy, {"memory": Past(spread=Spread(1e-6, 1e-6))})
    for _ in range(5):
        state, rows, verdict = judge(policy, state, tick, window=0)
    for ledger in state.ledgers:
        assert not np.isnan(ledger.purse.rollback).any()
        assert np.isfinite(ledger.purse.promote).all()
        assert np.isfinite(ledger.purse.intervals).all()
    assert all(np.isfinite([row.p_value, row.rollback, row.promote]).all() for row in rows)
    assert "nan" not in verdict.message


def test_a_latency_is_compared_at_bounds_where_it_can_and_by_a_model_where_not() -> None:
    """+50 ms on a p50 of 100 ms: Istio's bounds (100, 250) are too far apart, bounds 10 ms apart are not."""

    def model(bounds: tuple[float, ...]) -> str:
        latency = Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0), quantiles=(0.5,), gates=(0.5,))
        policy = Policy(metrics=(latency,), guard=POINTS)
        counts = np.array([2700 * min(1.0, bound / 200) for bound in bounds])
        tick = Tick(0, {"latency": Evidence(Histogram(bounds, counts / 9), Histogram(bounds, counts))})
        state = State.start(policy)
        for _ in range(2):
            state, rows, _ = judge(policy, state, tick, window=0)
        return rows[0].model

    assert model((50.0, 100.0, 250.0, 500.0, np.inf)) == "chord between histogram bounds"
    assert model((*np.arange(10.0, 500.0, 10.0), np.inf)) == ""


def test_a_good_median_does_not_promote_a_bad_tail() -> None:
    """Several quantiles: a promotion takes the smallest wealth."""
    bounds = (*np.arange(10.0, 1000.0, 10.0), np.inf)
    fast = np.array([min(1.0, bound / 200) for bound in bounds])
    tail = np.array([0.97 * min(1.0, bound / 200) + 0.03 * (bound > 900) for bound in bounds])
    metric = Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0), quantiles=(0.5, 0.99), gates=(0.5, 0.99))
    policy = Policy(metrics=(replace(metric, on_regression="hold"),), guard=POINTS)
    state = State.start(policy)
    for _ in range(30):
        seen = Evidence(Histogram(bounds, 300 * tail), Histogram(bounds, 2700 * fast))
        state, rows, verdict = judge(policy, state, Tick(0, {"latency": seen, GUARD: QUIET}), window=0)
    rows_by_name = {row.name: row for row in rows}
    assert rows_by_name["latency p50"].proven
    assert rows_by_name["latency p99"].verdict == "worse"
    assert (verdict.verdict, verdict.reason) == ("hold", "Regressed")


def test_a_quantile_that_only_reports_neither_blocks_nor_rolls_back() -> None:
    bounds = (*np.arange(10.0, 1000.0, 10.0), np.inf)
    fast = np.array([min(1.0, bound / 200) for bound in bounds])
    tail = np.array([0.994 * min(1.0, bound / 200) + 0.006 * (bound > 900) for bound in bounds])
    metric = Latency("latency", Boundary(delta=50.0), Boundary(delta=50.0), quantiles=(0.5, 0.999), gates=(0.5,))
    policy = Policy(metrics=(metric,), guard=POINTS)
    state = State.start(policy)
    for _ in range(40):
        seen = Evidence(Histogram(bounds, 3000 * tail), Histogram(bounds, 27000 * fast))
        state, rows, verdict = judge(policy, state, Tick(0, {"latency": seen, GUARD: QUIET}), window=0)
    assert next(row for row in rows if row.name == "latency p99.9").verdict == "worse"
    assert verdict.verdict == "promote"


def test_a_class_that_only_the_canary_has_joins() -> None:
    metric = Distribution("classes", Boundary(delta=0.05), Boundary(delta=0.05), tolerance_text="5 pp")
    policy = Policy(metrics=(metric,), guard=POINTS)
    state = State.start(policy)
    for _ in range(10):
        seen = Evidence(
            Classes(("a", "error"), np.array([240.0, 60.0])), Classes(("a", "b"), np.array([2400.0, 300.0]))
        )
        state, rows, verdict = judge(policy, state, Tick(0, {"classes": seen, GUARD: QUIET}), window=0)
        if verdict.verdict == "rollback":
            break
    assert verdict.verdict == "rollback"
    assert "error" in rows[0].tested


def test_classes_without_end_do_not_fill_the_state() -> None:
    metric = Distribution("classes", Boundary(delta=0.05), Boundary(delta=0.05))
    policy = Policy(metrics=(metric,), guard=POINTS)
    state = State.start(policy)
    for number in range(5):
        names = tuple(f"user-{number}-{index}" for index in range(40))
        seen = Classes(names, np.ones(40))
        state, _, _ = judge(policy, state, Tick(0, {"classes": Evidence(seen, seen), GUARD: QUIET}), window=0)
    memory = state.ledgers[0].watch.memory
    assert isinstance(memory, DistributionMemory)
    assert len(memory.names) <= 61
    assert OTHER in memory.names
    assert memory.canary.sum() == 200


def test_one_pod_may_never_suffice_for_a_gauge() -> None:
    """The pods' variance does not shrink with time: three times the memory in one pod of many different stays open."""
    metric = Gauge("memory", Boundary(rho=1.2), Boundary(rho=1.2), on_regression="hold")
    policy = Policy(metrics=(metric,), guard=POINTS)
    state = State.start(policy, {"memory": Past(spread=Spread(noise=1e-4, pods=1.0))})
    for _ in range(200):
        seen = Evidence(Values(np.array([1500.0])), Values(np.array([500.0])))
        state, rows, verdict = judge(policy, state, Tick(0, {"memory": seen, GUARD: QUIET}), window=0)
    assert verdict.verdict == "hold"
    assert "one pod" in rows[0].model


def test_counts_that_cluster_are_believed_less_and_the_row_says_how_much_less() -> None:
    """τ² from the history gives φ; without history φ is unknown and the row says so."""
    policy = Policy(metrics=(Proportion("errors", POINTS, POINTS),), guard=POINTS)
    rows = {}
    for name, past in (("tempered", {"errors": Past(excess=(2e-4,))}), ("untempered", {})):
        state = State.start(policy, past)
        seen = Evidence(Counts(300, 15), Counts(2700, 27))
        _, (rows[name],), _ = judge(policy, state, Tick(0, {"errors": seen, GUARD: QUIET}), window=0)
    assert rows["untempered"].phi is None
    assert rows["tempered"].phi is not None
    assert rows["tempered"].phi > 2
    assert rows["tempered"].effective == pytest.approx(300 / rows["tempered"].phi)
    assert rows["tempered"].p_value > rows["untempered"].p_value


def test_not_worse_promotes_without_a_proof_and_says_so_I2() -> None:
    policy = Policy(metrics=(Proportion("errors", POINTS, POINTS),), guard=POINTS)
    seen = Evidence(Counts(120, 1), Counts(1000, 10))
    tick = Tick(0, {"errors": seen, GUARD: seen})
    assert judge(policy, State.start(policy), tick, window=0)[2].verdict == "hold"
    lenient = replace(policy, promote_on="notWorse")
    _, _, verdict = judge(lenient, State.start(lenient), tick, window=0)
    assert (verdict.verdict, verdict.reason) == ("promote", "NotWorse")
    assert "not proven" in verdict.message


def test_not_worse_does_not_promote_what_looks_worse_I2() -> None:
    lenient = Policy(metrics=(Proportion("errors", POINTS, POINTS),), guard=POINTS, promote_on="notWorse")
    seen = Evidence(Counts(120, 5), Counts(1000, 10))  # +3.2 pp where +2 pp is allowed, and too little to prove it
    _, _, verdict = judge(lenient, State.start(lenient), Tick(0, {"errors": seen, GUARD: seen}), window=0)
    assert (verdict.verdict, verdict.reason) == ("hold", "Undecided")


def test_a_sample_of_another_kind_is_refused_by_name() -> None:
    policy = Policy(metrics=(Proportion("errors", POINTS, POINTS),), guard=POINTS)
    wrong = Evidence(Events(1, 2.0), Events(1, 2.0))
    with pytest.raises(TypeError, match="errors is counted by Counts, not by Events"):
        judge(policy, State.start(policy), Tick(0, {"errors": wrong, GUARD: QUIET}), window=0)


@pytest.mark.parametrize("higher", [False, True])
def test_the_row_says_what_another_verdict_would_have_needed(higher: bool) -> None:
    """Errors 2.7 % against 1.0 %, or the same said of successes: a quarter more than it says is enough, half is not."""
    limit = Boundary.of(absolute=0.02, relative=0.0, higher_is_better=higher)
    metric = Proportion("errors", limit, limit, higher_is_better=higher)
    policy = Policy(metrics=(metric,), guard=POINTS)

    def judged(canary_errors: float) -> tuple[Row, str]:
        canary, stable = Counts(3000, 10 * canary_errors), Counts(27000, 270)
        seen = Evidence(canary.failures, stable.failures) if higher else Evidence(canary, stable)
        state = State.start(policy, {"errors": Past(stable.failures if higher else stable)})
        state, (row,), verdict = judge(policy, state, Tick(0, {"errors": seen, GUARD: QUIET}), window=0)
        return row, verdict.verdict

    row, verdict = judged(8)
    needed = counterfactual(row)
    assert verdict == "hold"
    assert needed.worse_by is not None
    assert needed.better_by is not None
    assert judged(8 + 300 * 1.25 * needed.worse_by)[1] == "rollback"
    assert judged(8 + 300 * 0.5 * needed.worse_by)[1] == "hold"
    assert judged(8 - 300 * 1.25 * needed.better_by)[1] == "promote"
    assert judged(8 - 300 * 0.5 * needed.better_by)[1] == "hold"

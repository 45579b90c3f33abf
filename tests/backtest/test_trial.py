"""A policy over many windows: the operator's own judge, on recorded increments (R25)."""

import pytest

from serinus.api import CanaryPolicySpec, Metric
from serinus.backtest import Trial, replay, replayable
from serinus.judge import GUARD, Counts, Past, Policy
from serinus.judge.findings import Finding
from serinus.rollout import judge_policy
from tests.backtest.windows import POLICY, TICKS, alike, generator, window
from tests.planning.releases import ERRORS, LATENCY

JUDGED: Policy = judge_policy(POLICY, TICKS)


def test_halves_that_are_alike_are_promoted_at_the_end_of_the_window() -> None:
    outcome = replay(JUDGED, window(generator(), begin=900.0))
    assert (outcome.begin, outcome.is_promotion, outcome.ticks, outcome.blamed) == (900.0, True, TICKS, "")


def test_a_half_that_is_worse_is_rolled_back_as_soon_as_it_shows_and_the_metric_is_named() -> None:
    outcome = replay(JUDGED, window(generator(), canary=0.05))
    assert (outcome.is_rollback, outcome.blamed) == (True, "error-rate")
    assert outcome.ticks < 20


def test_a_half_that_fails_often_is_the_guards_R08() -> None:
    tolerant = CanaryPolicySpec.model_validate({"metrics": [{**ERRORS, "onRegression": "hold"}]})
    outcome = replay(judge_policy(tolerant, TICKS), window(generator(), canary=0.3))
    assert (outcome.is_rollback, outcome.blamed) == (True, GUARD)


def test_where_data_are_missing_it_would_have_held_I3() -> None:
    gaps = replay(JUDGED, window(generator(), missing=frozenset(range(0, TICKS, 5))))
    last = replay(JUDGED, window(generator(), missing=frozenset({TICKS - 1})))
    assert (gaps.finding, last.finding) == (Finding.INCOMPLETE, Finding.MISSING)


def test_a_trial_counts_rollbacks_holds_and_promotions() -> None:
    rng = generator()
    windows = [*alike(rng, 3), window(rng, canary=0.05), window(rng, n=2)]
    trial = Trial.of(POLICY, windows)
    assert (trial.rolled_back.count, trial.promoted.count, trial.rolled_back.of) == (1, 3, 5)
    assert dict(trial.held) == {Finding.UNPROVEN: 1}
    assert (trial.blamed_on("error-rate").count, trial.blamed_on(GUARD).count) == (1, 0)


def test_what_the_halves_differed_by_beforehand_is_allowed_for() -> None:
    """The same increments: with a past that varies beyond chance, the judge takes them for less."""
    calm = window(generator(), canary=0.035, stable=0.01)
    stable = Counts(600.0 * 480, 6.0 * 480)
    noisy = Past(stable, (0.0004,))
    tempered = type(calm)(calm.begin, calm.ticks, {GUARD: Past(stable), "error-rate": noisy}, calm.split)
    assert replay(JUDGED, calm).is_rollback
    assert not replay(JUDGED, tempered).is_rollback


@pytest.mark.parametrize(
    ("metric", "is_replayed"),
    [
        (ERRORS, True),
        (LATENCY, True),
        ({**LATENCY, "onRegression": "report"}, False),
        ({"name": "t", "template": "istio-throughput", "tolerance": {"relative": 0.1}}, False),
        (
            {
                "name": "memory",
                "kind": "gauge",
                "query": {"value": "m{ {{arm}} }"},
                "tolerance": {"relative": 0.1},
                "onRegression": "hold",
            },
            False,
        ),
    ],
    ids=["errors", "latency", "reported", "throughput", "gauge"],
)
def test_what_decides_and_is_counted_is_replayed(metric: dict[str, object], is_replayed: bool) -> None:
    assert replayable(Metric.model_validate(metric)) is is_replayed

"""Tolerances that would have been quiet at the promised rate, as a patch to review (R25)."""

from typing import Any

import pytest

from serinus.api import CanaryPolicySpec, Metric
from serinus.backtest import Proposal, Window, patch, propose
from serinus.backtest.proposal import resized
from tests.backtest.windows import POLICY, alike, generator, window
from tests.planning.releases import ERRORS, LATENCY


def proposal(policy: CanaryPolicySpec, windows: list[Window]) -> Proposal:
    return propose(policy, policy.metrics[0], windows, lambda _: None)


def policy(**metric: Any) -> CanaryPolicySpec:
    return CanaryPolicySpec.model_validate({"metrics": [{**LATENCY, "onRegression": "report"}, {**ERRORS, **metric}]})


def sizes(found: Proposal) -> list[float | None]:
    return [each.tolerance.absolute for each in found.tried]


def test_a_tolerance_that_is_quiet_is_tightened_as_long_as_it_can_still_be_proven_R25() -> None:
    found = proposal(POLICY, alike(generator()))
    assert found.proposed is not None
    assert found.proposed.tolerance.absolute == 0.004
    assert sizes(found) == [0.002, 0.004, 0.01, 0.02]
    assert not found.tried[0].is_decisive, "the next one would hold"
    assert all(each.is_quiet for each in found.tried)


def test_a_tolerance_that_is_loud_is_loosened_until_it_is_quiet_R25() -> None:
    rng = generator()
    found = proposal(POLICY, [*alike(rng, 10), window(rng, canary=0.06)])
    assert found.proposed is not None
    assert sizes(found) == [0.02, 0.04, 0.1]
    assert [each.is_quiet for each in found.tried] == [False, False, True]
    assert found.proposed is found.tried[-1]


def test_where_nothing_that_compares_would_be_quiet_nothing_is_proposed() -> None:
    wide = policy(tolerance={"absolute": 0.1})
    found = propose(wide, wide.metrics[1], [window(generator(), canary=0.9)], lambda _: None)
    assert (found.proposed, sizes(found)) == (None, [0.1, 0.2, 0.5])


def test_a_tolerance_that_the_window_cannot_prove_stays() -> None:
    rng = generator()
    found = proposal(POLICY, [window(rng, n=3) for _ in range(5)])
    assert (found.proposed, sizes(found)) == (None, [0.02])
    assert found.own.is_quiet
    assert not found.own.is_decisive


def test_every_size_that_is_tried_is_told_before() -> None:
    told: list[str] = []
    propose(POLICY, POLICY.metrics[0], alike(generator(), 2), lambda size: told.append(size.written))
    assert told[:2] == ["{absolute: 0.02}", "{absolute: 0.01}"]


SIZES = [
    ({"tolerance": {"absolute": 0.02}}, 0.5, {"absolute": 0.01}, None),
    ({"tolerance": {"absolute": 0.02}, "margin": {"absolute": 0.03}}, 0.5, {"absolute": 0.01}, {"absolute": 0.03}),
    ({"tolerance": {"absolute": 0.02}, "margin": {"absolute": 0.03}}, 2, {"absolute": 0.04}, {"absolute": 0.04}),
    ({"tolerance": {"absolute": 0.0}, "margin": {"absolute": 0.005}}, 2, {"absolute": 0.01}, {"absolute": 0.01}),
]


@pytest.mark.parametrize(("metric", "factor", "tolerance", "margin"), SIZES)
def test_a_margin_stays_unless_the_tolerance_outgrows_it(
    metric: dict[str, Any], factor: float, tolerance: dict[str, float], margin: dict[str, float] | None
) -> None:
    found = resized(Metric.model_validate({**ERRORS, **metric}), factor)
    assert found.tolerance.given == tolerance
    assert (found.margin.given if found.margin else None) == margin
    Metric.model_validate(found.model_dump(mode="json", by_alias=True, exclude_none=True))


def test_the_patch_names_the_metric_by_place_and_gives_a_valid_policy_R25() -> None:
    given = policy(tolerance={"absolute": 0.02}, margin={"absolute": 0.03})
    rng = generator()
    found = propose(given, given.metrics[1], [*alike(rng, 5), window(rng, canary=0.05)], lambda _: None)
    operations = [each.model_dump(mode="json") for each in patch(given, [found], "/spec")]
    assert operations == [
        {"op": "test", "path": "/spec/metrics/1/name", "value": "error-rate"},
        {"op": "replace", "path": "/spec/metrics/1/tolerance", "value": {"absolute": 0.04}},
        {"op": "replace", "path": "/spec/metrics/1/margin", "value": {"absolute": 0.04}},
    ]


def test_where_nothing_is_proposed_the_patch_is_empty() -> None:
    assert patch(POLICY, [proposal(POLICY, [window(generator(), n=3)])], "/spec") == ()

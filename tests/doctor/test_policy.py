"""A policy that is allowed and seldom meant is said to be so."""

from typing import Any

import pytest

from tests.doctor.facts import facts, found, manifest, only

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
LATENCY = {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}}


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"falseRollback": 0.2}, "falseRollback is 0.2"),
        ({"falsePromotion": 0.3}, "falsePromotion is 0.3"),
        ({"promoteOn": "notWorse"}, "promoteOn is notWorse"),
        ({"metrics": [LATENCY]}, "no gating metric counts failed requests"),
        ({"metrics": [LATENCY, {**ERRORS, "onRegression": "report"}]}, "no gating metric counts failed requests"),
    ],
)
def test_what_is_seldom_meant_is_a_warning(policy: dict[str, Any], told: str) -> None:
    finding = only(facts(manifest(policy={"metrics": [ERRORS], **policy})))
    assert (finding.level, finding.check, finding.what) == ("warning", "policy", told)


def test_the_defaults_are_fine() -> None:
    assert found(facts(manifest(policy={"metrics": [ERRORS]}))) == []

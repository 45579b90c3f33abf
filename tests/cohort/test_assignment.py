"""A user's arm is a function of the id, the rollout and the percentage; the same as Envoy's (tests/istio)."""

import ast
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import serinus.cohort
from serinus.cohort import in_canary

USERS = [f"user-{number}" for number in range(20_000)]

# The percentage above which a user has the canary, by an implementation of the published algorithm of its own.
PLACES = {
    ("r", ""): 33,
    ("predictor-1a2b3c4d", "user-123456"): 15,
    ("predictor-1a2b3c4d", "6f1c9a52-0d4b-4a53-9b0e-5a1f6c1de0a7"): 97,
    ("checkout-00ff00ff", "Zoë@例え.jp"): 14,
    ("r", "x" * 100): 91,
    ("r42", b"\xff\xfeid".decode(errors="surrogateescape")): 3,
}


@pytest.mark.parametrize(("rollout", "user"), PLACES, ids=["none", "short", "uuid", "unicode", "long", "bytes"])
def test_a_users_place_is_the_same_in_every_version_and_language_R14(rollout: str, user: str) -> None:
    place = PLACES[rollout, user]
    assert next(each for each in range(101) if in_canary(user, rollout, each)) == place + 1


@given(user=st.text(), rollout=st.text(), percentages=st.lists(st.integers(0, 100)).map(sorted))
def test_who_has_the_canary_keeps_it_as_the_percentage_rises_R14(
    user: str, rollout: str, percentages: list[int]
) -> None:
    answers = [in_canary(user, rollout, percentage) for percentage in percentages]
    assert all(later or not earlier for earlier, later in pairwise(answers))


@given(user=st.text(), rollout=st.text())
def test_nobody_at_0_and_everybody_at_100(user: str, rollout: str) -> None:
    assert not in_canary(user, rollout, 0)
    assert in_canary(user, rollout, 100)


@pytest.mark.parametrize("percentage", [1, 5, 25, 50])
def test_the_share_is_within_binomial_bounds_R17(percentage: int) -> None:
    share, count = percentage / 100, sum(in_canary(user, "predictor-1a2b3c4d", percentage) for user in USERS)
    assert abs(count - len(USERS) * share) <= 5 * math.sqrt(len(USERS) * share * (1 - share))


def test_two_rollouts_have_independent_cohorts_R14() -> None:
    both = sum(in_canary(user, "a", 25) and in_canary(user, "b", 25) for user in USERS)
    assert abs(both - len(USERS) / 16) <= 5 * math.sqrt(len(USERS) / 16 * 15 / 16)


def test_it_needs_nothing_but_python_and_a_hash_R18() -> None:
    imported = set()
    for path in Path(serinus.cohort.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
    assert {name for name in imported if not name.startswith("serinus.cohort")} == {"xxhash"}

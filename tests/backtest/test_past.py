"""What is known before a window: the stable's two hours, and how far its halves differ beyond chance."""

import numpy as np

from serinus.api import CanaryPolicySpec
from serinus.backtest import Split, past_of
from serinus.judge import GUARD, Counts, Evidence, Missing
from serinus.metrics import Arm, Arms, inquiries
from tests.planning.releases import ERRORS

ARMS = Arms("ml", "h", "destination", stable=Arm("stable", (("v", "1"),)), canary=Arm("canary", (("v", "2"),)))
GUARDS, ERROR_RATE = inquiries(CanaryPolicySpec.model_validate({"metrics": [ERRORS]}), ARMS)


def ticks(beyond_chance: float) -> list[dict[str, Evidence]]:
    rng = np.random.default_rng(1)
    rates = 0.1 + beyond_chance * rng.choice([-1, 1], (480, 2))
    found = []
    for one, other in rng.binomial(1000, rates).tolist():
        evidence = Evidence(Counts(1000.0, float(one)), Counts(1000.0, float(other)))
        found.append({"error-rate": evidence, GUARD: evidence})
    return found


def test_the_stable_is_both_halves_together() -> None:
    known = ticks(0.0)[:2]
    stable = past_of(GUARDS, known, Split(4)).stable
    seen = [each for tick in known for each in (tick[GUARD].canary, tick[GUARD].stable) if isinstance(each, Counts)]
    assert stable == Counts(4000.0, float(sum(each.x for each in seen)))


def test_halves_that_differ_more_than_chance_explains_are_told_by_how_much() -> None:
    """Of equal halves of equally many pods it is the variance of their difference itself."""
    (calm,), (noisy,) = (past_of(ERROR_RATE, ticks(size), Split(4)).excess for size in (0.0, 0.05))
    assert calm < 0.0003
    assert 0.5 < noisy / (2 * 0.05**2) < 2.0


def test_of_divided_requests_nothing_is_told_for_they_differ_by_chance_alone() -> None:
    assert past_of(ERROR_RATE, ticks(0.05), Split(1)).excess == ()


def test_of_nothing_nothing_is_known_I3() -> None:
    silent = dict.fromkeys((GUARD, "error-rate"), Evidence(missing=Missing.NO_SERIES))
    assert past_of(ERROR_RATE, [silent], Split(4)).stable is None
    assert past_of(ERROR_RATE, [], Split(4)).stable is None

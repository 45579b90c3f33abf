"""A promotion that a person orders acknowledges what is worse now: only a new worsening rolls it back."""

from serinus.judge import (
    GUARD,
    Boundary,
    Counts,
    Evidence,
    Policy,
    Proportion,
    State,
    Tick,
    Verdict,
    acknowledge,
    judge,
)

TWO_POINTS = Boundary(delta=0.02)
POLICY = Policy(
    metrics=(
        Proportion("error-rate", tolerance=TWO_POINTS, margin=TWO_POINTS),
        Proportion("conversion", tolerance=TWO_POINTS, margin=TWO_POINTS),
    ),
    guard=TWO_POINTS,
)


def observe(state: State, errors: float, ticks: int) -> tuple[State, Verdict]:
    """So many ticks of 300 canary requests; the other metric and the stable arm are well."""
    for _ in range(ticks):
        bad = Evidence(Counts(300, 300 * errors), Counts(2700, 27))
        well = Evidence(Counts(300, 3), Counts(2700, 27))
        state, _, verdict = judge(POLICY, state, Tick(0, {"error-rate": bad, "conversion": well, GUARD: bad}), window=0)
        if verdict.verdict == "rollback":
            break
    return state, verdict


def suspicious() -> State:
    """Nearly a rollback: 5 % errors, a tick before the verdict."""
    state, verdict = State.start(POLICY), None
    while True:
        after, verdict = observe(state, 0.05, 1)
        if verdict.verdict == "rollback":
            return state
        state = after


def test_what_was_acknowledged_does_not_roll_back_by_its_old_wealth_R27() -> None:
    state = suspicious()
    _, verdict = observe(state, 0.05, 1)
    assert verdict.verdict == "rollback"
    acknowledged, names = acknowledge(POLICY, state)
    assert "error-rate" in names
    assert "conversion" not in names
    _, verdict = observe(acknowledged, 0.05, 1)
    assert verdict.verdict != "rollback"


def test_a_new_worsening_rolls_back_R27() -> None:
    acknowledged, _ = acknowledge(POLICY, suspicious())
    after, verdict = observe(acknowledged, 0.2, 10)
    assert verdict.verdict == "rollback"
    assert after.ticks <= acknowledged.ticks + 5


def test_what_is_well_is_left_as_it_is() -> None:
    state, _ = observe(State.start(POLICY), 0.01, 20)
    same, names = acknowledge(POLICY, state)
    assert names == ()
    assert same.pack() == state.pack()


def test_the_restarted_wealth_is_one() -> None:
    acknowledged, _ = acknowledge(POLICY, suspicious())
    wealth = acknowledged.ledgers[0].purse.test_wealth(acknowledged.ticks, POLICY.planned_ticks)
    assert abs(float(wealth[0])) < 1e-6

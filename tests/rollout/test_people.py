"""People in charge: overrides, gates and hooks; what they may do to a rollout, and what not (R27)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from serinus.api import Phase
from serinus.api.canarydeployment import Hook
from serinus.rollout import Ask, Order, Outcome, People, Reply, SetWeight
from tests.rollout.conftest import Play, subject


def order(play: Play, action: Any, *, name: str = "o1", rollout: str | None = None, **fields: Any) -> Order:
    """An order for the rollout under way, given now."""
    assert play.status.rollout is not None
    given = {"to": None, "reason": "the budget allows it", "requested_by": "jo", "created": play.now}
    return Order(f"uid-{name}", name, rollout or play.status.rollout.id, action, **(given | fields))


def hear(play: Play, *orders: Order) -> None:
    """Turn until all orders have an answer and what they ask for is on the mesh; the overrides keep no status."""
    play.people = People(orders)
    for _ in range(20):
        play.turn()
        if len(play.status.answers) == len(orders):
            break
    play.settle()


def answers(play: Play) -> dict[str, str]:
    return {answer.name: answer.outcome for answer in play.status.answers}


def test_an_order_to_promote_takes_the_next_step_at_once_on_record_R27_I1(climbing: Play) -> None:
    hear(climbing, order(climbing, "promote"))
    assert climbing.live.weight == 50
    record = climbing.records[-1]
    assert (record.verdict, record.actor, record.because) == ("promote", "jo", "the budget allows it")
    assert record.overruled == "hold"
    assert climbing.status.answers[0].record == record.id


def test_an_order_to_promote_to_100_goes_all_the_way_R27(climbing: Play) -> None:
    hear(climbing, order(climbing, "promote", to=100))
    assert climbing.weights == [10, 100]
    assert climbing.status.phase is Phase.PROMOTED


def test_an_order_to_roll_back_is_obeyed_in_the_turn_that_sees_it_R27(climbing: Play) -> None:
    climbing.people = People((order(climbing, "rollback"),))
    outcome = climbing.turn()
    assert isinstance(outcome.intent, SetWeight)
    assert (outcome.intent.weight, outcome.intent.urgent) == (0, True)
    climbing.settle()
    assert (climbing.status.phase, climbing.live.weight) == (Phase.ROLLED_BACK, 0)
    assert climbing.records[-1].actor == "jo"


@pytest.mark.parametrize("moment", ["pending", "promoted"])
def test_a_rollback_is_possible_before_the_first_step_and_after_the_last_R27(moment: str) -> None:
    play = Play(subject(warmUp={"duration": "30s"}))
    play.turn()
    if moment == "promoted":
        play.settle()
        hear(play, order(play, "promote", to=100))
        assert play.status.phase is Phase.PROMOTED
    hear(play, order(play, "rollback", name="back"))
    assert (play.status.phase, play.live.weight) == (Phase.ROLLED_BACK, 0)


def test_an_order_is_carried_out_once_however_often_it_is_seen_I4(climbing: Play) -> None:
    hear(climbing, order(climbing, "promote"))
    for _ in range(5):
        climbing.turn()
    assert climbing.weights == [10, 50]


def test_an_answer_that_the_override_has_is_forgotten(climbing: Play) -> None:
    hear(climbing, order(climbing, "hold"))
    climbing.people = People()
    climbing.turn()
    assert climbing.status.answers == ()


def test_an_operator_that_was_down_carries_out_what_it_finds(climbing: Play) -> None:
    climbing.people = People((order(climbing, "promote", created=climbing.now - timedelta(hours=1)),))
    climbing.now += timedelta(hours=1)
    climbing.settle()
    assert climbing.live.weight == 50


@pytest.mark.parametrize(
    ("action", "told"),
    [("resume", "nobody holds"), ("approve", "no gate")],
)
def test_what_has_no_object_is_refused_with_the_reason(climbing: Play, action: str, told: str) -> None:
    before = len(climbing.records)
    hear(climbing, order(climbing, action))
    assert answers(climbing) == {"o1": "Refused"}
    assert told in climbing.status.answers[0].message
    assert len(climbing.records) == before


@pytest.mark.parametrize("action", ["promote", "rollback", "hold", "resume", "approve"])
def test_an_order_for_another_rollout_does_nothing_R27(climbing: Play, action: str) -> None:
    hear(climbing, order(climbing, action, rollout="predictor-yesterday"))
    assert answers(climbing) == {"o1": "Refused"}
    assert (climbing.status.phase, climbing.live.weight) == (Phase.PROGRESSING, 10)


@pytest.mark.parametrize("action", ["promote", "rollback", "hold", "approve"])
def test_a_rollout_that_was_rolled_back_takes_no_orders(climbing: Play, action: str) -> None:
    climbing.judged("rollback")
    hear(climbing, order(climbing, action))
    assert "has ended: RolledBack" in climbing.status.answers[0].message
    assert climbing.live.weight == 0


def test_of_two_that_contradict_each_other_the_safer_rules(climbing: Play) -> None:
    hear(climbing, order(climbing, "promote", name="up"), order(climbing, "rollback", name="down"))
    assert answers(climbing) == {"down": "Applied", "up": "Refused"}
    assert climbing.weights == [10, 0]


def test_a_hold_stops_promotion_until_somebody_resumes_R27(climbing: Play) -> None:
    hear(climbing, order(climbing, "hold", name="stop"))
    climbing.judged("promote", after=60)
    assert (climbing.status.phase, climbing.live.weight) == (Phase.PAUSED, 10)
    hear(climbing, order(climbing, "hold", name="stop"), order(climbing, "promote", name="up"))
    assert answers(climbing)["up"] == "Refused"
    hear(climbing, order(climbing, "resume", name="go"))
    climbing.judged("promote")
    assert climbing.live.weight == 50


def test_a_hold_leaves_rollback_armed_R27(climbing: Play) -> None:
    hear(climbing, order(climbing, "hold"))
    climbing.judged("rollback")
    assert climbing.status.phase is Phase.ROLLED_BACK


def test_a_paused_spec_is_not_overridden(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, paused=True)
    hear(climbing, order(climbing, "promote"))
    assert "spec.paused" in climbing.status.answers[0].message
    assert climbing.live.weight == 10


def test_a_rollback_verdict_comes_before_an_order_to_promote_R08(climbing: Play) -> None:
    climbing.people = People((order(climbing, "promote"),))
    climbing.now += timedelta(seconds=15)
    climbing.turn("rollback")
    climbing.settle()
    assert climbing.status.phase is Phase.ROLLED_BACK
    assert 50 not in climbing.weights


LADDER = [
    {"weight": 10, "window": "30s", "gate": "manual"},
    {"weight": 50, "window": "30s"},
    {"weight": 100, "window": "0s"},
]


@pytest.fixture
def gated() -> Play:
    play = Play(subject(ladder=LADDER))
    play.settle()
    return play


def test_a_gate_waits_for_an_approval_and_says_so_once(gated: Play) -> None:
    for _ in range(4):
        gated.judged("promote", after=45)
    assert (gated.live.weight, gated.status.phase) == (10, Phase.HOLDING)
    assert [record.reason for record in gated.records] == ["WarmedUp", "AwaitingApproval"]
    hear(gated, order(gated, "approve"))
    gated.judged("promote")
    assert gated.live.weight == 50


def test_an_approval_may_come_first_and_holds_for_its_step_alone(gated: Play) -> None:
    hear(gated, order(gated, "approve"))
    hear(gated, order(gated, "approve", name="again"))
    assert "already" in gated.status.answers[-1].message
    gated.judged("promote", after=45)
    assert gated.live.weight == 50


def test_an_edit_of_the_spec_is_no_override_R27_I1(gated: Play) -> None:
    """It would name nobody and no reason, and a GitOps controller would undo it: it holds for the next rollout."""
    gated.subject = subject(ladder=[{"weight": 10, "window": "15s"}, {"weight": 100, "window": "0s"}])
    for _ in range(3):
        gated.judged("promote", after=45)
    assert gated.live.weight == 10
    assert gated.records[-1].reason == "AwaitingApproval"


def test_evidence_counts_while_a_gate_waits(gated: Play) -> None:
    gated.judged("promote", after=45)
    gated.judged("rollback")
    assert gated.status.phase is Phase.ROLLED_BACK


def hooked(*hooks: dict[str, Any]) -> Play:
    play = Play()
    play.subject = replace(play.subject, hooks=tuple(Hook(url="https://release.example.com", **hook) for hook in hooks))
    return play


def reply(play: Play, word: Any, reason: str = "") -> Outcome:
    """The hooks that are asked now reply."""
    asks = play.turn().asks
    play.people = People(replies=tuple(Reply(ask.key, word, reason) for ask in asks))
    outcome = play.turn()
    play.people = People()
    return outcome


def keys(asks: tuple[Ask, ...]) -> list[str]:
    return [ask.key.partition("/")[2] for ask in asks]


def test_hooks_are_asked_at_their_moments() -> None:
    play = hooked({"when": "start"}, {"when": "beforeStep"}, {"when": "afterStep"}, {"when": "promoted"})
    play.settle()
    assert play.live.weight == 0
    assert keys(play.turn().asks) == ["start/1/1", "beforeStep/1/2"]
    reply(play, "consent")
    play.settle()
    assert play.live.weight == 10
    play.now += timedelta(seconds=45)
    assert keys(play.turn("promote").asks) == ["afterStep/1/3", "beforeStep/2/2"]
    reply(play, "consent")
    play.settle()
    assert play.live.weight == 50
    play.judged("promote", after=45)
    reply(play, "consent")
    play.settle()
    assert keys(play.turn().asks) == ["afterStep/3/3"]
    reply(play, "consent")
    assert play.status.phase is Phase.PROMOTED
    [promoted] = play.turn().asks
    assert keys((promoted,)) == ["promoted/3/4"]
    assert promoted.facts.record == play.records[-1].id
    reply(play, "consent")
    assert play.turn().asks == ()


def test_a_step_by_order_asks_no_hook_and_tells_them_by_whose_order_R27() -> None:
    play = hooked({"when": "start"}, {"when": "beforeStep"}, {"when": "afterStep"})
    reply(play, "consent")
    play.settle()
    play.people = People((order(play, "promote"),))
    outcome = play.turn()
    assert isinstance(outcome.intent, SetWeight)
    assert outcome.intent.weight == 50
    assert keys(outcome.asks) == ["afterStep/1/3", "beforeStep/2/2"]
    assert {ask.facts.ordered_by for ask in outcome.asks} == {"jo"}
    play.people = People()
    assert keys(play.turn().asks) == keys(outcome.asks), "an operator that is killed tells them after its restart"
    reply(play, "veto", "not today")
    play.settle()
    assert (play.live.weight, play.status.phase) == (50, Phase.PROGRESSING)
    assert play.turn().asks == ()


def test_an_order_overrules_a_hook_that_has_said_no_R27(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, hooks=(Hook(when="afterStep", url="https://release.example.com"),))
    climbing.now += timedelta(seconds=45)
    climbing.turn("promote")
    reply(climbing, "veto", "the batch job is running")
    hear(climbing, order(climbing, "promote"))
    assert climbing.live.weight == 50


def test_an_order_before_the_first_step_tells_the_hooks_of_the_start() -> None:
    play = hooked({"when": "start"}, {"when": "beforeStep"})
    play.turn()
    hear(play, order(play, "promote"))
    assert play.live.weight == 10
    assert keys(play.turn().asks) == ["start/1/1", "beforeStep/1/2"]


def test_a_question_has_the_same_key_until_it_is_answered_I4() -> None:
    play = hooked({"when": "start"})
    first = play.turn().asks
    assert play.turn().asks[0].key == first[0].key


@pytest.mark.parametrize(
    ("word", "failure", "weight", "phase"),
    [
        ("consent", "hold", 10, Phase.PROGRESSING),
        ("failed", "hold", 0, Phase.WARMING_UP),
        ("failed", "ignore", 10, Phase.PROGRESSING),
        ("failed", "rollback", 0, Phase.ROLLED_BACK),
        ("veto", "hold", 0, Phase.WARMING_UP),
        ("veto", "ignore", 0, Phase.WARMING_UP),
        ("veto", "rollback", 0, Phase.ROLLED_BACK),
    ],
)
def test_what_a_hook_says_and_what_follows(word: str, failure: str, weight: int, phase: Phase) -> None:
    play = hooked({"when": "start", "failure": failure})
    reply(play, word, "not today")
    for _ in range(3):
        play.turn()
    assert (play.live.weight, play.status.phase) == (weight, phase)


def test_a_veto_after_a_step_holds_with_its_reason_and_is_asked_anew(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, hooks=(Hook(when="afterStep", url="https://release.example.com"),))
    climbing.now += timedelta(seconds=45)
    climbing.turn("promote")
    reply(climbing, "veto", "the batch job is running")
    assert climbing.status.phase is Phase.HOLDING
    assert "the batch job is running" in climbing.records[-1].message
    climbing.now += timedelta(seconds=61)
    [again] = climbing.turn("promote").asks
    assert again.key.endswith("afterStep/1/1#1")
    climbing.people = People(replies=(Reply(again.key, "consent"),))
    climbing.turn()
    climbing.people = People()
    climbing.judged("promote")
    assert climbing.live.weight == 50


def test_evidence_counts_while_a_hook_is_asked(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, hooks=(Hook(when="afterStep", url="https://release.example.com"),))
    climbing.now += timedelta(seconds=45)
    climbing.turn("promote")
    climbing.judged("rollback")
    assert climbing.status.phase is Phase.ROLLED_BACK


def test_a_hook_that_never_answers_the_end_is_told_five_times(climbing: Play) -> None:
    climbing.subject = replace(climbing.subject, hooks=(Hook(when="rolledBack", url="https://release.example.com"),))
    climbing.judged("rollback")
    asked = 0
    for _ in range(20):
        outcome = climbing.turn()
        asked += len(outcome.asks)
        climbing.people = People(replies=tuple(Reply(ask.key, "failed", "answered 500") for ask in outcome.asks))
        climbing.turn()
        climbing.people = People()
        climbing.now += timedelta(seconds=61)
    assert asked == 5

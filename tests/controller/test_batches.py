"""Ticks of many canaries are judged together where they can be; what is wrong with one spoils no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from serinus.controller import batches as room
from serinus.controller.batches import Batches
from serinus.controller.pace import Pace
from serinus.judge import (
    GUARD,
    Boundary,
    Case,
    Counts,
    Evidence,
    Histogram,
    Policy,
    Proportion,
    Settled,
    State,
    Tick,
    settle_together,
)

_PATIENCE = 30.0  # seconds
POINTS = Boundary(delta=0.02)
POLICY = Policy(metrics=(Proportion("errors", POINTS, POINTS),), guard=POINTS)


def case(errors: int = 3) -> Case:
    seen = Evidence(Counts(300, errors), Counts(2700, 27))
    return Case(State.start(POLICY), Tick(0, {"errors": seen, GUARD: seen}), 4)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of what has been settled at once."""
    seen: list[int] = []

    def settle(policy: Policy, cases: Sequence[Case]) -> list[Settled]:
        seen.append(len(cases))
        return settle_together(policy, cases)

    monkeypatch.setattr(room, "settle_together", settle)
    return seen


async def settled(*cases: Case, policy: Policy = POLICY) -> list[Settled | BaseException]:
    batches = Batches(Pace())
    answers = asyncio.gather(*(batches.settle(policy, each) for each in cases), return_exceptions=True)
    return await asyncio.wait_for(answers, _PATIENCE)


def state(answer: Settled | BaseException) -> str:
    assert isinstance(answer, Settled)
    return answer.state.pack()


async def test_those_that_come_in_one_pass_are_judged_at_once_and_each_gets_its_own_answer(sizes: list[int]) -> None:
    cases = [case(errors) for errors in range(40)]
    answers = await settled(*cases)
    assert sizes == [32, 8]
    for each, answer in zip(cases, answers, strict=True):
        assert state(answer) == settle_together(POLICY, [each])[0].state.pack()


async def test_those_of_another_policy_are_judged_apart(sizes: list[int]) -> None:
    batches = Batches(Pace())
    policies = [POLICY, replace(POLICY, alpha=0.05)] * 3
    await asyncio.gather(*(batches.settle(policy, case()) for policy in policies))
    assert sizes == [3, 3]


async def test_one_that_the_judge_refuses_spoils_no_other() -> None:
    """A metric whose query has changed its kind: the judge cannot count it."""
    slow = Histogram((100.0, np.inf), np.array([2.0, 300.0]))
    unfit = Evidence(slow, slow)
    wrong = replace(case(), tick=Tick(0, {"errors": unfit, GUARD: case().tick.evidence[GUARD]}))
    good, *refused, other = await settled(case(), wrong, wrong, case(30))
    assert state(good) == settle_together(POLICY, [case()])[0].state.pack()
    assert state(other) == settle_together(POLICY, [case(30)])[0].state.pack()
    assert all(isinstance(each, TypeError) and "errors" in str(each) for each in refused)


async def test_who_waits_no_longer_is_left_out(sizes: list[int]) -> None:
    batches = Batches(Pace())
    waiting = [asyncio.create_task(batches.settle(POLICY, case())) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), _PATIENCE)
    assert sizes == [2]
    assert isinstance(answers[1], asyncio.CancelledError)
    assert isinstance(await batches.settle(POLICY, case()), Settled), "what comes later is judged as well"

"""The table of phases: the code's, the documentation's, and what it promises."""

from pathlib import Path

import pytest

from serinus.api import Phase
from serinus.rollout.phases import BEFORE_TRAFFIC, ENDS, TABLE, UNDER_WAY, ZERO, Event, table_text, target

DOCS = Path(__file__).parents[2] / "docs" / "state-machine.md"


def test_the_documentation_prints_the_table_of_the_code() -> None:
    assert table_text() in DOCS.read_text()


def test_every_phase_is_reached_and_every_event_is_used() -> None:
    assert {transition.target for transition in TABLE} == set(Phase)
    assert {transition.event for transition in TABLE} == set(Event)


def test_every_phase_is_before_under_way_or_an_end() -> None:
    assert sorted((*BEFORE_TRAFFIC, *UNDER_WAY, *ENDS)) == sorted(Phase)


def test_an_event_leads_to_one_place() -> None:
    pairs = [(source, transition.event) for transition in TABLE for source in transition.sources]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("phase", UNDER_WAY)
def test_every_rollout_under_way_can_be_taken_back_R01(phase: Phase) -> None:
    for event in (Event.REGRESSED, Event.UNREACHABLE, Event.ADOPTED, Event.SUPERSEDED, Event.DELETED):
        assert target(phase, event) is Phase.ROLLED_BACK


def test_what_ends_without_promotion_ends_on_stable() -> None:
    ends = {Phase.ROLLED_BACK, Phase.FAILED}
    assert {transition.weight for transition in TABLE if transition.target in ends} == {ZERO}


def test_only_a_step_that_proceeds_leads_to_promoted_I1() -> None:
    promoting = [transition for transition in TABLE if transition.target is Phase.PROMOTED]
    assert [transition.event for transition in promoting] == [Event.COMPLETED]
    assert Phase.PAUSED not in promoting[0].sources


def test_what_is_not_in_the_table_cannot_happen() -> None:
    with pytest.raises(KeyError):
        target(Phase.PENDING, Event.PROVEN)

"""What was found when a rollout began is a condition of it for as long as it is the newest."""

from dataclasses import replace

from serinus.api import Phase
from serinus.rollout import with_more_warnings, with_warnings
from tests.rollout.conftest import Play, condition, subject

FOUND = ["policy: falseRollback is 0.2", "workloads: spec.workloads is absent"]


def test_findings_stay_through_the_rollout_and_after_it(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, FOUND, climbing.now)
    since = climbing.status.conditions[-1]
    climbing.judged("promote", after=45)
    climbing.judged("promote", after=45)
    assert climbing.status.phase is Phase.PROMOTED
    (warned,) = (each for each in climbing.status.conditions if each.type == "Warned")
    assert warned == since
    assert warned.message == "; ".join(FOUND)


def test_nothing_found_is_said_too(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, FOUND, climbing.now)
    climbing.status = with_warnings(climbing.status, (), climbing.now)
    assert condition(climbing, "Warned") == ("False", "NothingFound")


def test_of_a_rollout_that_is_being_prepared_nothing_is_said_yet(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, FOUND, climbing.now)
    first = climbing.status.rollout
    assert first is not None
    climbing.subject = replace(subject(revision="again"), generation=2)
    while climbing.status.rollout is None or climbing.status.rollout.id == first.id:
        climbing.turn()
    assert climbing.status.phase is Phase.PENDING
    assert "Warned" not in {each.type for each in climbing.status.conditions}


LATER = ["evidence: sales: no series in the last 10m: visits_total"]


def test_what_prometheus_says_later_stands_behind_what_was_found_at_once(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, FOUND, climbing.now)
    climbing.status = with_more_warnings(climbing.status, LATER, climbing.now)
    assert condition(climbing, "Warned") == ("True", "FindingsInEvidence")
    assert climbing.status.conditions[-1].message == "; ".join(FOUND + LATER)


def test_where_nothing_was_found_at_once_it_stands_alone(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, (), climbing.now)
    climbing.status = with_more_warnings(climbing.status, LATER, climbing.now)
    assert climbing.status.conditions[-1].message == LATER[0]


def test_where_prometheus_says_nothing_bad_the_status_stays_as_it_is(climbing: Play) -> None:
    climbing.status = with_warnings(climbing.status, FOUND, climbing.now)
    assert with_more_warnings(climbing.status, (), climbing.now) is climbing.status

"""Orders of people on the real API server, with the RBAC and the admission policy of deploy/ (R27)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.crash.operators import await_true
from tests.people.company import Company
from tests.people.hung import Hung

pytestmark = pytest.mark.api_server


@pytest.fixture
def hung() -> Iterator[Hung]:
    hung = Hung()
    yield hung
    hung.close()


def be_patient() -> None:
    """In the operator's process: a query may take longer than any of these tests waits."""
    from serinus.metrics import source  # noqa: PLC0415

    source._TOTAL = 600.0


def forget_at_once() -> None:
    """In the operator's process: overrides that are over stay for no time."""
    from serinus.controller import orders  # noqa: PLC0415

    orders.KEPT = timedelta()


def test_a_rollback_by_order_waits_for_no_query_R27(company: Company, hung: Hung) -> None:
    company.begin(prometheus=hung.address, first=be_patient)
    await_true(lambda: hung.waiting, "a query that hangs")
    name = company.order("jo", "rollback")
    await_true(lambda: company.release.weight() == 0, "the weights to be back")
    assert company.answer(name)[0] == "Applied"
    told, record = company.answers()[name], company.release.canary()["status"]["history"][-1]
    assert (told["record"], told["time"]) == (record["id"], record["time"]), "when it took effect, and on which record"


def test_of_two_that_contradict_each_other_while_the_operator_is_down_the_safer_rules_R27(company: Company) -> None:
    company.begin()
    company.stop()
    down, up = company.order("kim", "rollback"), company.order("jo", "promote", to=100)
    company.start()
    await_true(lambda: company.release.phase() == "RolledBack", "the rollback")
    assert company.answer(down)[0] == "Applied"
    assert company.answer(up) == ("Refused", "the rollout has ended: RolledBack")
    assert company.release.weight() == 0


def test_an_order_for_a_rollout_that_is_over_does_nothing_to_the_next_R27(company: Company) -> None:
    company.begin()
    yesterday = company.rollout()
    company.order("jo", "rollback")
    await_true(lambda: company.release.phase() == "RolledBack", "the rollback")
    company.release.edit({"revision": "again"})
    await_true(lambda: company.rollout() != yesterday, "the next rollout")
    company.await_step()
    outcome, message = company.answer(company.order("jo", "rollback", rollout=yesterday))
    assert outcome == "Refused"
    assert f"it is meant for the rollout {yesterday}" in message
    assert company.release.weight() == 50


def test_an_order_for_what_is_not_there_is_refused_also_after_a_restart_R27(company: Company) -> None:
    company.begin()
    told = f"there is no CanaryDeployment 'ap' in namespace {company.release.namespace}"
    assert company.answer(company.order("jo", "hold", target="ap")) == ("Refused", told)
    company.stop()
    late = company.order("kim", "hold", target="ap")
    company.start()
    assert company.answer(late) == ("Refused", told)


def test_overrides_go_when_they_are_long_over_and_stay_while_their_rollout_is_under_way(company: Company) -> None:
    company.begin(first=forget_at_once)
    held, resumed = company.order("jo", "hold"), company.order("jo", "resume")
    assert company.answer(held)[0] == company.answer(resumed)[0] == "Applied"
    assert set(company.answers()) == {held, resumed}
    company.order("jo", "hold", target="ap")
    company.order("kim", "rollback")
    await_true(lambda: not company.answers(), "all overrides to be gone")
    history = company.release.canary()["status"]["history"]
    assert [each["actor"] for each in history if each["actor"] != "serinus"] == ["jo", "jo", "kim"]

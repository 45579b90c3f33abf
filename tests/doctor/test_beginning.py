"""What the operator itself says of a rollout that begins: what doctor would, as far as nobody has to be asked."""

from typing import Any

from serinus.doctor import read_plan
from serinus.doctor.beginning import look_at_cluster
from serinus.doctor.finding import Finding
from tests.doctor.facts import Object, facts, manifest, objects, pod

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}


def told(given: dict[Any, list[Object]] | None = None, **spec: Any) -> tuple[str, ...]:
    there = facts(manifest(**{"policy": {"metrics": [ERRORS]}} | spec), objects=given or objects())
    manifested = read_plan(there)
    assert not isinstance(manifested, Finding)
    return look_at_cluster(there.owner, manifested.plan, there.world())


def test_of_a_release_as_it_should_be_there_is_nothing_to_say() -> None:
    assert told() == ()


def test_each_finding_is_told_by_its_check() -> None:
    policy = {"metrics": [ERRORS], "falseRollback": 0.2}
    assert told(policy=policy, workloads=None) == (
        "policy: falseRollback is 0.2",
        "workloads: spec.workloads is absent",
    )


def test_somebody_else_who_writes_the_weights_is_told() -> None:
    """For doctor that is an error, and the rollout begins all the same."""
    given = objects()
    owner = {"kind": "Canary", "name": "predictor", "controller": True}
    given["virtualservices"][0]["metadata"]["ownerReferences"] = [owner]
    (line,) = told(given)
    assert line.startswith("owners: VirtualService ml/predictor belongs to Canary predictor")


def test_what_the_rollout_waits_for_is_told_by_its_verdict_and_not_here() -> None:
    given = objects()
    given["pods"] = [pod("one", "v1")]
    given["deployments"] = []
    assert told(given) == ()


def test_a_mesh_that_stalls_the_rollout_is_told_by_that_condition_and_not_here() -> None:
    assert told(objects() | {"virtualservices": []}) == ()

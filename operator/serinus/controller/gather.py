"""What a reconcile needs to know, gathered from the cache first: the subject, and the mesh as it is."""

from collections.abc import Collection

from pydantic import ValidationError

from serinus.api import (
    DEFAULT_POLICY,
    CanaryDeployment,
    CanaryDeploymentSpec,
    CanaryDeploymentStatus,
    CanaryPolicy,
    CanaryPolicySpec,
    explain,
    problems,
    unsupported,
)
from serinus.controller.cache import Cache, Key, Kind, Object, key_of
from serinus.controller.carriers import Carrier, carried, find_carriers, reads_virtual_service
from serinus.controller.endpoints import ready_endpoints
from serinus.istio import canonical_host, subset_labels
from serinus.metrics import Arm as SeriesArm
from serinus.metrics import Arms
from serinus.notify import origin_of
from serinus.rollout import Live, Obstacle, Plan, Subject, release_of


def read_subject(
    owner: Object, cache: Cache, allowed_prometheus: Collection[str], allowed_hooks: Collection[str]
) -> Subject:
    """The CanaryDeployment with its policy. Raises Obstacle naming the field that cannot be as it is (I9)."""
    metadata = owner["metadata"]
    try:
        canary = CanaryDeployment.model_validate({**owner, "status": {}})
    except ValidationError as error:
        raise Obstacle("InvalidSpec", "; ".join(map(str, explain(error)))) from error
    spec = canary.spec
    if found := problems(spec):
        raise Obstacle("InvalidSpec", "; ".join(map(str, found)))
    policy = _policy(spec, metadata["namespace"], cache)
    if lacking := unsupported(spec):
        raise Obstacle("NotSupported", "; ".join(lacking))
    named = spec.prometheus or policy.prometheus
    if named is not None and named.address is not None and named.address not in allowed_prometheus:
        whose = "spec." if spec.prometheus else "the policy's "
        raise Obstacle(
            "PrometheusNotAllowed",
            f"{whose}prometheus.address: {named.address} is not among the addresses that this operator may ask "
            "(serinus run --allow-prometheus)",
        )
    for index, hook in enumerate(spec.hooks or ()):
        if origin_of(hook.url) not in allowed_hooks:
            raise Obstacle(
                "HookNotAllowed",
                f"spec.hooks[{index}].url: {origin_of(hook.url)} is not among the origins that this operator may ask "
                "(serinus run --allow-hook)",
            )
    return Subject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        release=release_of(spec),
        plan=Plan.of(spec, policy),
        paused=spec.paused,
        deadline=spec.deadline,
        rolls_back_undecided=spec.when_undecided == "rollback",
        leaving=is_leaving(owner),
        author=spec.author,
        hooks=spec.hooks or (),
    )


def running_subject(owner: Object, status: CanaryDeploymentStatus) -> Subject:
    """The subject of a rollout whose spec or policy can no longer be read: it goes on by its own copy, paused.

    So rollback stays armed while somebody mends the manifest, and nothing is promoted meanwhile.
    """
    assert status.rollout is not None
    metadata = owner["metadata"]
    return Subject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        release=status.rollout.release,
        plan=Plan.unpack(status.rollout.snapshot),
        paused=True,
        leaving=is_leaving(owner),
    )


def is_leaving(owner: Object) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in owner["metadata"]


def read_status(owner: Object) -> CanaryDeploymentStatus:
    """The status that the object carries, or that of an object which no operator has seen yet."""
    return CanaryDeploymentStatus.model_validate(owner.get("status") or {})


def read_live(plan: Plan, namespace: str, cache: Cache) -> tuple[Live, tuple[Carrier, ...]]:
    """The mesh as the plan needs it. Raises Obstacle naming what is missing or cannot carry the canary."""
    traffic = plan.traffic
    carriers = find_carriers(plan, namespace, cache)
    destination_rule = cache.get("destinationrules", (namespace, traffic.destination_rule))
    weights, decision = carried(carriers, cache)
    stable = subset_labels(destination_rule or {}, plan.stable.subset)
    canary = subset_labels(destination_rule or {}, plan.canary.subset)
    live = Live(
        weights=weights,
        decision=decision,
        stable=stable,
        canary=canary,
        has_rule=destination_rule is not None,
        stable_ready=ready_endpoints(traffic.host, namespace, stable, cache),
        canary_ready=ready_endpoints(traffic.host, namespace, canary, cache),
    )
    _refuse_one_version_twice(plan, live, f"DestinationRule {namespace}/{traffic.destination_rule}")
    return live, carriers


def _refuse_one_version_twice(plan: Plan, live: Live, where: str) -> None:
    """Where subsets are their owner's, nothing else makes sure that they are two versions."""
    stable, canary = plan.stable.labels or live.stable, plan.canary.labels or live.canary
    if stable is not None and stable == canary:
        raise Obstacle(
            "ArmsAreTheSame",
            f"{where}: the subsets {plan.stable.subset!r} and {plan.canary.subset!r} select the same labels; "
            "give the canary those of its own version",
        )


def read_arms(plan: Plan, namespace: str, live: Live, reporter: str, fence: str | None) -> Arms:
    """Which series in Prometheus are whose; `fence` names a label that all must have, with the namespace as its value.

    Raises Obstacle when nothing tells an arm's.
    """
    arms = {}
    for side, arm, found in (("stable", plan.stable, live.stable), ("canary", plan.canary, live.canary)):
        pods = arm.labels or found or {}
        series = arm.series_labels(pods)
        if not series:
            raise Obstacle(
                "ArmHasNoSeries",
                f"spec.{side}.metricLabels: required, for the subset {arm.subset!r} has no label `version`",
            )
        arms[side] = SeriesArm(arm.subset, tuple(sorted(series.items())), tuple(sorted(pods.items())))
    chosen = plan.prometheus.reporter if plan.prometheus else None
    host = canonical_host(plan.traffic.host, namespace)
    return Arms(
        namespace,
        host,
        chosen or reporter,
        stable=arms["stable"],
        canary=arms["canary"],
        fence=((fence, namespace),) if fence else (),
    )


def affected_by(kind: Kind, key: Key, cache: Cache) -> list[Key]:
    """The CanaryDeployments that read an object."""
    return [
        owner_key
        for owner_key in cache.keys("canarydeployments")
        if _reads(cache.get("canarydeployments", owner_key) or {}, kind, key, cache)
    ]


def _reads(owner: Object, kind: Kind, key: Key, cache: Cache) -> bool:
    if kind == "canaryoverrides":
        override = cache.get(kind, key) or {}
        return bool((key[0], override.get("spec", {}).get("target")) == key_of(owner))
    if kind == "virtualservices":
        return reads_virtual_service(owner, key, cache)
    spec = owner.get("spec", {})
    named = {
        "canarypolicies": (spec.get("policyRef") or {}).get("name"),
        "destinationrules": spec.get("traffic", {}).get("destinationRule"),
    }
    return bool((owner["metadata"]["namespace"], named.get(kind)) == key)


def _policy(spec: CanaryDeploymentSpec, namespace: str, cache: Cache) -> CanaryPolicySpec:
    if spec.policy_ref is None:
        return spec.policy or DEFAULT_POLICY
    found = cache.get("canarypolicies", (namespace, spec.policy_ref.name))
    if found is None:
        raise Obstacle("PolicyNotFound", f"spec.policyRef: no CanaryPolicy {namespace}/{spec.policy_ref.name}")
    try:
        return CanaryPolicy.model_validate(found).spec
    except ValidationError as error:
        told = "; ".join(map(str, explain(error)))
        raise Obstacle("InvalidPolicy", f"CanaryPolicy {namespace}/{spec.policy_ref.name}: {told}") from error

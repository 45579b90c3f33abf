"""What a reconcile needs to know, gathered from the cache first: the subject, and the mesh as it is."""

from collections.abc import Collection
from dataclasses import dataclass

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
)
from serinus.controller.cache import Cache, Key, Kind, Object
from serinus.controller.carriers import Carrier, carried, find_carriers
from serinus.controller.endpoints import ready_endpoints
from serinus.controller.workloads import read_workload, template_of
from serinus.istio import canonical_host, subset_labels
from serinus.metrics import Arm as SeriesArm
from serinus.metrics import Arms
from serinus.notify import origin_of
from serinus.rollout import Live, Obstacle, Plan, Subject, release_of


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a CanaryDeployment and its policy ask for, and of which versions of theirs it was read."""

    versions: tuple[object, ...]
    spec: CanaryDeploymentSpec
    plan: Plan
    release: str


def read_manifest(owner: Object, cache: Cache, before: Manifest | None) -> Manifest:
    """Spec and policy as models; `before` where neither has changed since, for to read them takes long.

    Raises Obstacle naming the field that cannot be as it is (I9).
    """
    versions = _versions(owner, cache)
    if before is not None and before.versions == versions:
        return before
    try:
        spec = CanaryDeployment.model_validate({**owner, "status": {}}).spec
    except ValidationError as error:
        raise Obstacle("InvalidSpec", "; ".join(map(str, explain(error)))) from error
    if found := problems(spec):
        raise Obstacle("InvalidSpec", "; ".join(map(str, found)))
    plan = Plan.of(spec, _policy(spec, owner["metadata"]["namespace"], cache))
    # The policy is the plan's, which many share: it is not kept a second time.
    return Manifest(versions, spec.model_copy(update={"policy": None}), plan, release_of(spec))


def read_subject(
    owner: Object, manifest: Manifest, cache: Cache, allowed_prometheus: Collection[str], allowed_hooks: Collection[str]
) -> Subject:
    """The CanaryDeployment with its policy. Raises Obstacle naming what this operator may not ask."""
    metadata, spec, policy = owner["metadata"], manifest.spec, manifest.plan.policy
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
        release=manifest.release,
        plan=manifest.plan,
        template=template_of(spec.workloads, metadata["namespace"], cache),
        paused=spec.paused,
        deadline=spec.deadline,
        rolls_back_undecided=spec.when_undecided == "rollback",
        leaving=is_leaving(owner),
        author=spec.author,
        hooks=spec.hooks or (),
        warm_up_requests=(spec.warm_up.requests or ()) if spec.warm_up else (),
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


def read_live(plan: Plan, namespace: str, rollout: str, cache: Cache) -> tuple[Live, tuple[Carrier, ...]]:
    """The mesh as the plan needs it, with the rollout's decision on it.

    Raises Obstacle naming what is missing or cannot carry the canary.
    """
    traffic = plan.traffic
    carriers = find_carriers(plan, namespace, cache)
    destination_rule = cache.get("destinationrules", (namespace, traffic.destination_rule))
    weights, decision = carried(carriers, rollout)
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
        stable_workload=read_workload(plan.workloads, "stable", namespace, cache),
        canary_workload=read_workload(plan.workloads, "canary", namespace, cache),
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
    if kind == "canaryoverrides":
        override = cache.get(kind, key) or {}
        return [(key[0], str(override.get("spec", {}).get("target")))]
    return sorted(cache.namers(kind, key))


def _versions(owner: Object, cache: Cache) -> tuple[object, ...]:
    """Changes whenever spec or policy do."""
    metadata = owner["metadata"]
    named = (owner.get("spec", {}).get("policyRef") or {}).get("name", "")
    policy = cache.get("canarypolicies", (metadata["namespace"], named)) or {"metadata": {}}
    known = (policy["metadata"].get(name) for name in ("uid", "resourceVersion"))
    return metadata["uid"], metadata["generation"], *known


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

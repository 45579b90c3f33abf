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
from serinus.controller.cache import Cache, Key, Object
from serinus.istio import ArmRoute, LayoutError, arm_routes, canonical_host, decision_on, subset_labels
from serinus.metrics import Arms
from serinus.rollout import Live, Obstacle, Plan, Subject, release_of


def read_subject(owner: Object, cache: Cache, allowed_prometheus: Collection[str]) -> Subject:
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
    if lacking := unsupported(spec, policy):
        raise Obstacle("NotSupported", "; ".join(lacking))
    address = spec.prometheus.address if spec.prometheus else None
    if address is not None and address not in allowed_prometheus:
        raise Obstacle(
            "PrometheusNotAllowed",
            f"spec.prometheus.address: {address} is not among the addresses that this operator may ask "
            "(serinus run --allow-prometheus)",
        )
    return Subject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        release=release_of(spec),
        plan=Plan.of(spec, policy),
        paused=spec.paused,
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
    )


def read_status(owner: Object) -> CanaryDeploymentStatus:
    """The status that the object carries, or that of an object which no operator has seen yet."""
    return CanaryDeploymentStatus.model_validate(owner.get("status") or {})


def read_live(plan: Plan, namespace: str, cache: Cache) -> tuple[Live, tuple[ArmRoute, ...]]:
    """The mesh as the plan needs it. Raises Obstacle naming what is missing or cannot carry the canary."""
    traffic = plan.traffic
    reference = traffic.virtual_services[0]
    virtual_service = cache.get("virtualservices", (namespace, reference.name))
    if virtual_service is None:
        raise Obstacle(
            "VirtualServiceNotFound", f"spec.traffic.virtualServices[0]: no VirtualService {namespace}/{reference.name}"
        )
    destination_rule = cache.get("destinationrules", (namespace, traffic.destination_rule))
    if destination_rule is None:
        raise Obstacle(
            "DestinationRuleNotFound",
            f"spec.traffic.destinationRule: no DestinationRule {namespace}/{traffic.destination_rule}",
        )
    try:
        routes = arm_routes(
            virtual_service,
            host=traffic.host,
            stable=plan.stable.subset,
            canary=plan.canary.subset,
            only=reference.routes or (),
        )
    except LayoutError as error:
        raise Obstacle("RouteUnsuitable", str(error)) from error
    weights = {route.weight for route in routes}
    if len(weights) > 1:
        raise Obstacle(
            "WeightsDisagree",
            f"VirtualService {namespace}/{reference.name}: its routes give the canary different weights: "
            f"{', '.join(f'{weight} %' for weight in sorted(weights))}; give them one",
        )
    live = Live(
        weight=weights.pop(),
        decision=decision_on(virtual_service),
        stable=subset_labels(destination_rule, plan.stable.subset),
        canary=subset_labels(destination_rule, plan.canary.subset),
    )
    return live, routes


def read_arms(plan: Plan, namespace: str, live: Live, reporter: str) -> Arms:
    """Which series in Prometheus are whose. Raises Obstacle when nothing tells an arm's."""
    labels = []
    for side, arm, found in (("stable", plan.stable, live.stable), ("canary", plan.canary, live.canary)):
        series = arm.series_labels(arm.labels or found or {})
        if not series:
            raise Obstacle(
                "ArmHasNoSeries",
                f"spec.{side}.metricLabels: required, for the subset {arm.subset!r} has no label `version`",
            )
        labels.append(tuple(sorted(series.items())))
    chosen = plan.prometheus.reporter if plan.prometheus else None
    return Arms(canonical_host(plan.traffic.host, namespace), chosen or reporter, *labels)


def affected_by(kind: str, key: Key, cache: Cache) -> list[Key]:
    """The CanaryDeployments that read an object: those of its namespace which name it."""
    return [
        owner_key
        for owner_key in cache.keys("canarydeployments")
        if owner_key[0] == key[0] and _names(cache.get("canarydeployments", owner_key) or {}, kind, key[1])
    ]


def _names(owner: Object, kind: str, name: str) -> bool:
    spec = owner.get("spec", {})
    traffic = spec.get("traffic", {})
    if kind == "canarypolicies":
        return bool((spec.get("policyRef") or {}).get("name") == name)
    if kind == "destinationrules":
        return bool(traffic.get("destinationRule") == name)
    return any(reference.get("name") == name for reference in traffic.get("virtualServices") or [])


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

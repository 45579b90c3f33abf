"""What `serinus backtest` is to replay: from manifests and options, the policy, the service and the windows."""

from dataclasses import dataclass
from datetime import timedelta

from serinus.api import CanaryDeployment, CanaryPolicySpec, Prometheus, Step
from serinus.api.ladder import DEFAULT_LADDER
from serinus.backtest import replayable
from serinus.cli.inputs import InputError
from serinus.cli.manifests import Manifests
from serinus.cli.prometheus_connection import Server
from serinus.cli.service_arms import arms_of_manifest
from serinus.istio import canonical_host
from serinus.metrics import Arm, Arms

_INTERVAL = timedelta(seconds=15)  # of a CanaryDeployment that says nothing else


@dataclass(frozen=True)
class Holder:
    """The object that has the policy: its kind as kubectl has it, its name and namespace, and the policy's path."""

    kind: str
    name: str
    namespace: str
    path: str


@dataclass(frozen=True)
class Target:
    """What is replayed. `window`: how long each rollout lasts. `prometheus`: what the manifests say of it."""

    policy: CanaryPolicySpec
    holder: Holder
    arms: Arms
    interval: timedelta
    window: timedelta
    prometheus: Prometheus | None


def find_target(
    manifests: Manifests, service: str | None, namespace: str | None, window: timedelta | None, server: Server
) -> Target:
    """From a CanaryDeployment, whose service and rhythm it has; or from a CanaryPolicy, for the service that is named.

    Raises InputError.
    """
    target = (
        _of_policy(manifests, service, namespace, window, server)
        if not manifests.deployments
        else _of_deployment(manifests, service, namespace, window, server)
    )
    if not any(map(replayable, target.policy.metrics)):
        raise InputError(f"{manifests.places}: no metric of the policy can be replayed: a gauge is not counted")
    if target.window < 2 * target.interval:
        raise InputError(f"--window: must be at least two ticks, {2 * target.interval.total_seconds():g}s")
    return target


def _of_deployment(
    manifests: Manifests, service: str | None, namespace: str | None, window: timedelta | None, server: Server
) -> Target:
    found = manifests.one_deployment()
    if service is not None:
        raise InputError(f"--service: {manifests.places} names the service already: {found.spec.traffic.host}")
    place, policy, reference = namespace or found.metadata.namespace, manifests.policy_of(found), found.spec.policy_ref
    _require_namespace(found.spec.traffic.host, place)
    given = found.spec.prometheus or policy.prometheus
    return Target(
        policy,
        Holder("canarypolicy", reference.name, place, "/spec") if reference else _own(found, place),
        arms_of_manifest(found, place, server.reporter_for(given), server.fence),
        found.spec.interval,
        window or _lasts(found.spec.ladder),
        given,
    )


def _of_policy(
    manifests: Manifests, service: str | None, namespace: str | None, window: timedelta | None, server: Server
) -> Target:
    if len(manifests.policies) != 1:
        raise InputError(
            f"{manifests.places}: one CanaryPolicy, or one CanaryDeployment, is needed; "
            f"there are {len(manifests.policies)} policies"
        )
    found = manifests.policies[0]
    place, policy = namespace or found.metadata.namespace, found.spec
    if service is None:
        raise InputError(f"{manifests.places}: has only a policy: give --service, or the CanaryDeployment as well")
    if own := [each.name for each in policy.metrics if each.query is not None]:
        raise InputError(
            f"{manifests.places}: {own[0]} has queries of its own, whose placeholders only a CanaryDeployment fills: "
            "give it with another -f, instead of --service"
        )
    _require_namespace(service, place)
    reporter, fence = server.reporter_for(policy.prometheus), server.fence
    arms = Arms(
        place,
        canonical_host(service, place),
        reporter,
        stable=Arm("stable", ()),
        canary=Arm("canary", (("destination_service", ""),)),  # nobody's: everything that serves is the stable
        fence=((fence, place),) if fence else (),
    )
    holder = Holder("canarypolicy", found.metadata.name, place, "/spec")
    return Target(policy, holder, arms, _INTERVAL, window or _lasts(DEFAULT_LADDER), policy.prometheus)


def _own(found: CanaryDeployment, namespace: str) -> Holder:
    return Holder("canarydeployment", found.metadata.name, namespace, "/spec/policy")


def _lasts(ladder: tuple[Step, ...]) -> timedelta:
    """As long as the steps that compare."""
    return sum((step.window for step in ladder if step.weight < 100), timedelta())


def _require_namespace(host: str, namespace: str) -> None:
    if not namespace and "." not in host:
        raise InputError(f"{host}: its namespace is part of its name in Prometheus: give --namespace")

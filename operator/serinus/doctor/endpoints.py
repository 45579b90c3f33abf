"""Whether both arms have somewhere to send requests to, and can carry what the ladder gives them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from serinus.api import Arm
from serinus.controller.cache import Cache
from serinus.controller.endpoints import ready_endpoints
from serinus.doctor.finding import Finding, error, fine, warning
from serinus.rollout import Live, Plan
from serinus.rollout.capacity import capacity_lack

_CHECK = "endpoints"
Labels = Mapping[str, str] | None


def check_endpoints(plan: Plan, live: Live, namespace: str, world: Cache) -> Iterator[Finding]:
    """Ready endpoints of each arm, by the labels that its subset will have when the rollout begins."""
    sides: tuple[tuple[str, Arm, Labels], ...] = (
        ("stable", plan.stable, live.stable),
        ("canary", plan.canary, live.canary),
    )
    for side, arm, found in sides:
        labels = arm.labels or found
        ready = ready_endpoints(plan.traffic.host, namespace, labels, world)
        selected = ", ".join(f"{name}={value}" for name, value in sorted((labels or {}).items()))
        if ready is None:
            yield warning(
                _CHECK,
                f"nobody can tell how many endpoints of {plan.traffic.host} are the {side}'s",
                why="Serinus could not notice that an arm is dead before its requests fail.",
                do="correct spec.traffic.host, unless it is meant to be a Service or ServiceEntry without a selector",
            )
        elif ready == 0:
            yield error(
                _CHECK,
                f"the {side} has no ready endpoint of {plan.traffic.host} with {selected}",
                why="The warm-up waits for the canary's; without the stable's nothing could ever be rolled back to.",
                do=f"deploy it and wait until its pods are ready, or correct spec.{side}.labels",
            )
        else:
            yield fine(_CHECK, f"the {side} has {ready} ready endpoints ({selected})")


def check_workloads(
    plan: Plan, live: Live, namespace: str, autoscalers: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Whether the named workloads are there, and whether an autoscaler lets the canary grow with its weight."""
    workloads = plan.workloads
    if workloads is None:
        yield warning(
            "workloads",
            "spec.workloads is absent",
            why="Restarts and changed pod templates are not seen, and no rise waits for ready pods.",
            do="name both workloads",
        )
        return
    if told := capacity_lack(plan, live, namespace, plan.ladder[0].weight):
        yield error("workloads", told, why="The first step waits for it.", do="deploy it, or scale it up")
        return
    scalers = [each for each in autoscalers if _scales(each, workloads.canary.kind, workloads.canary.name)]
    if not scalers:
        yield fine("workloads", f"{workloads.canary} can carry the first step")
    for scaler in scalers:
        yield _autoscaled(plan, live, namespace, scaler)


def _autoscaled(plan: Plan, live: Live, namespace: str, scaler: Mapping[str, Any]) -> Finding:
    """An autoscaler adds pods for load that comes; a rise waits for pods before the load comes."""
    assert live.canary_workload is not None, "its capacity has just been looked at"
    least = int(scaler["spec"].get("minReplicas", 1))
    idle = replace(live, canary_workload=replace(live.canary_workload, ready=least))
    name = f"HorizontalPodAutoscaler {scaler['metadata']['name']}"
    lacking = [step.weight for step in plan.ladder if capacity_lack(plan, idle, namespace, step.weight)]
    if not lacking:
        return fine("workloads", f"{name} keeps enough replicas for each step (minReplicas {least})")
    return warning(
        "workloads",
        f"{name} may leave {least} replicas to the canary: too few for the step at {lacking[0]} %",
        why="A rise waits for ready replicas, and the autoscaler adds none before the load has risen: neither moves.",
        do="raise minReplicas for the time of the rollout, or lower spec.workloads.capacity",
    )


def _scales(scaler: Mapping[str, Any], kind: str, name: str) -> bool:
    target = scaler["spec"]["scaleTargetRef"]
    return bool((target["kind"], target["name"]) == (kind, name))

"""Whether the ready pods can carry a weight: asked before every rise that nobody has ordered."""

import math

from serinus.rollout.live import Live
from serinus.rollout.plan import Plan
from serinus.rollout.turn import Turn

_WHOLE = 100


def lacking_capacity(turn: Turn, weight: int) -> str:
    """What the canary lacks to carry `weight` percent; an empty string where it lacks nothing, or nobody can tell.

    The stable's ready replicas are what all of the traffic needs: it carries it alone at first, and after a rollback.
    """
    return capacity_lack(turn.plan, turn.live, turn.subject.namespace, weight)


def capacity_lack(plan: Plan, live: Live, namespace: str, weight: int) -> str:
    """The same of a plan of `namespace` and the mesh as it is."""
    workloads, canary, stable = plan.workloads, live.canary_workload, live.stable_workload
    if workloads is None:
        return ""
    for side, named, found in (("canary", workloads.canary, canary), ("stable", workloads.stable, stable)):
        if found is None:
            return f"spec.workloads.{side}: there is no {named} in namespace {namespace}"
    assert canary is not None, "it has just been looked for"
    assert stable is not None, "it has just been looked for"
    needed = math.ceil(round(weight * stable.ready * workloads.capacity / _WHOLE, 6))
    if canary.ready >= needed:
        return ""
    return (
        f"{workloads.canary} has {canary.ready} ready replicas; {weight} % of what {stable.ready} of the stable carry "
        f"need {needed} (capacity {workloads.capacity:g}): scale it up"
    )

"""Before a rollout: bring subsets and weights to where it starts, without moving a user to another version.

Which version serves is read from the live objects: the labels behind the subset that has the weight. A subset that
receives traffic is never pointed elsewhere.
"""

from collections.abc import Mapping

from serinus.api import Arm
from serinus.rollout.intents import Intent, PointSubset
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.plan import Plan
from serinus.rollout.weights import set_weight


def next_preparation(plan: Plan, live: Live, decision: str) -> Intent | None:
    """The next thing to do before the first step, or None when all traffic is on stable and both subsets are right.

    Called again after each, once the mesh has had time to settle. `decision` names a change of weights. Raises Obstacle
    when the version that serves is not the one that the plan calls stable.
    """
    if not live.has_rule:
        told = f"spec.traffic.destinationRule: there is no DestinationRule {plan.traffic.destination_rule!r}; create it"
        raise Obstacle("DestinationRuleNotFound", told)
    if live.stable_serves:
        if live.stable is not None and not _is(plan.stable, live.stable):
            raise _not_serving(plan, live.stable)
        return _point(plan.stable, live.stable) or _point(plan.canary, live.canary)
    if live.canary_serves:
        if live.canary is None or plan.stable.labels is None or not _is(plan.stable, live.canary):
            raise _not_serving(plan, live.canary)
        # Stable has no traffic: it may take over the serving version, then the traffic, and nobody notices.
        return _point(plan.stable, live.stable) or set_weight(live, 0, decision)
    if live.stable is None or not _is(plan.stable, live.stable):
        raise _not_serving(plan, live.stable)
    return set_weight(live, 0, decision)


def _point(arm: Arm, labels: Mapping[str, str] | None) -> PointSubset | None:
    """How to make the subset right, or None when it is."""
    if arm.labels is None and labels is None:
        raise Obstacle("SubsetMissing", f"the DestinationRule has no subset {arm.subset!r}; add it, or give its labels")
    if arm.labels is None or (labels is not None and _is(arm, labels)):
        return None
    return PointSubset(arm.subset, arm.labels)


def _is(arm: Arm, labels: Mapping[str, str]) -> bool:
    return arm.labels is None or dict(arm.labels) == dict(labels)


def _not_serving(plan: Plan, serving: Mapping[str, str] | None) -> Obstacle:
    stanza = ", ".join(f"{name}: {value}" for name, value in sorted((serving or {}).items()))
    return Obstacle(
        "StableIsNotServing",
        f"{{{stanza}}} serves the traffic now, but spec.stable names another version. Nothing was changed. "
        f"Apply this first: stable: {{subset: {plan.stable.subset}, labels: {{{stanza}}}}}",
    )

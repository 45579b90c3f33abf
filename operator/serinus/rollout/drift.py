"""Drift (I6): the mesh is not as it was decided because somebody else wrote to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from serinus.api import Arm, CanaryDeploymentStatus, RolloutStatus
from serinus.rollout.changes import decision_id, rollout_of
from serinus.rollout.intents import Intent, PointSubset
from serinus.rollout.live import Live
from serinus.rollout.plan import Plan
from serinus.rollout.weights import set_weight

_FIRST_PAUSE = timedelta(seconds=10)  # between two repairs; doubled each time ...
_LONGEST_PAUSE = timedelta(minutes=10)  # ... up to this, so that two writers never fight in a loop


@dataclass(frozen=True, slots=True)
class Drift:
    """How the mesh differs: `reason` is one CamelCase word, `message` says what is there and what was decided.

    `repair` would put it right; None where Serinus cannot, or where the spec says that it is respected.
    """

    reason: str
    message: str
    repair: Intent | None = None


def find_drift(plan: Plan, status: CanaryDeploymentStatus, live: Live) -> Drift | None:
    """The first difference between what was decided and what is, or None. Only asked once the decision was observed."""
    drift = next(_differences(plan, status, live), None)
    if drift is not None and plan.traffic.on_drift == "respect":
        return Drift(drift.reason, f"{drift.message}; left as it is, for spec.traffic.onDrift is respect")
    return drift


def _differences(plan: Plan, status: CanaryDeploymentStatus, live: Live) -> Iterator[Drift]:
    rollout = rollout_of(status)
    if not live.carries(status.weight):
        found = ", ".join(f"{weight} %" for weight in sorted(set(live.weights)))
        told = f"somebody else gave the canary {found}; {status.weight} % were decided"
        decision = decision_id(rollout, "repair")
        yield Drift("WeightsChanged", told, set_weight(live, status.weight, decision, final=status.phase.is_end))
    # Once a rollout has ended, only the arm that serves is looked after.
    if status.weight > 0 or not status.phase.is_end:
        yield from _subset(plan.canary, live.canary, live)
    if status.weight == 0 or not status.phase.is_end:
        yield from _subset(plan.stable, live.stable, live)


def _subset(arm: Arm, labels: Mapping[str, str] | None, live: Live) -> Iterator[Drift]:
    if not live.has_rule:
        yield Drift("DestinationRuleNotFound", f"the DestinationRule with the subset {arm.subset!r} is gone")
    elif arm.labels is None:
        if labels is None:
            yield Drift("SubsetMissing", f"the subset {arm.subset!r} is gone from the DestinationRule; add it again")
    elif labels is None:
        told = f"somebody else removed the subset {arm.subset!r} from the DestinationRule"
        yield Drift("SubsetMissing", told, PointSubset(arm.subset, arm.labels))
    elif dict(labels) != dict(arm.labels):
        told = f"somebody else gave the subset {arm.subset!r} the labels {dict(labels)} instead of {arm.labels}"
        yield Drift("SubsetChanged", told, PointSubset(arm.subset, arm.labels))


def repair_due(rollout: RolloutStatus, now: datetime) -> datetime:
    """When the next repair may be made: at once for the first, then after pauses that double."""
    if rollout.repaired_at is None or is_calm(rollout, now):
        return now
    pause = min(_FIRST_PAUSE * (1 << min(rollout.repairs - 1, 10)), _LONGEST_PAUSE)
    return rollout.repaired_at + pause


def is_calm(rollout: RolloutStatus, now: datetime) -> bool:
    """Whether the last repair was so long ago that a new drift is no continuation of the old one.

    One that seems to lie ahead was made before the clock was set back, and tells nothing.
    """
    return rollout.repaired_at is not None and not timedelta() <= now - rollout.repaired_at <= 2 * _LONGEST_PAUSE

"""What people and their programs say to a rollout: overrides, and the answers of hooks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serinus.api import CanaryDeploymentStatus, RowStatus
from serinus.api.canarydeployment import Hook, Moment
from serinus.api.model import Lenient
from serinus.api.override import Action


@dataclass(frozen=True, slots=True)
class Order:
    """A CanaryOverride: who asks what of which rollout, and why."""

    uid: str
    name: str
    rollout: str
    action: Action
    to: int | None
    reason: str
    requested_by: str
    created: datetime


class HookFacts(Lenient):
    """What a hook is told: which moment of which rollout, what is known, and what is to happen next."""

    when: Moment
    rollout: str
    namespace: str
    name: str
    step: int
    """From 1."""
    weight: int
    next_weight: int
    ordered_by: str | None = None
    """The person by whose order it has come: then nobody waits for the answer, and it decides nothing."""
    record: str | None = None
    """Id of the newest record: of an end, and of a step by order, the one that is told of."""
    reason: str
    message: str
    comparison: tuple[RowStatus, ...]
    time: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that a hook is to be asked. `key`: the same for every try."""

    key: str
    hook: Hook
    facts: HookFacts


@dataclass(frozen=True, slots=True)
class Reply:
    """A hook's answer to the question named `key`: consent, a veto, or why there was no answer."""

    key: str
    word: Literal["consent", "veto", "failed"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """All orders for a CanaryDeployment that have no answer in their own status, and replies that are new."""

    orders: tuple[Order, ...] = ()
    replies: tuple[Reply, ...] = ()

    def is_rollback_ordered(self, status: CanaryDeploymentStatus) -> bool:
        """Whether a rollback waits to be obeyed: then no evidence needs to be waited for."""
        answered = {answer.uid for answer in status.answers}
        return any(order.action == "rollback" and order.uid not in answered for order in self.orders)


NOBODY = People()
"""Nobody has said anything."""

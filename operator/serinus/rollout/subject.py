"""Whose rollout it is, and what the spec asks for now."""

from dataclasses import dataclass
from datetime import timedelta

from serinus.api import WarmUpRequest
from serinus.api.canarydeployment import Hook
from serinus.rollout.plan import Plan


@dataclass(frozen=True, slots=True)
class Subject:
    """A CanaryDeployment as it is now: who it is, the release it asks for, and the plan a rollout would follow.

    `hooks`, `paused`, `deadline` (of a step; None: none) and `rolls_back_undecided` (what the deadline leads to, else
    to hold) apply at once, unlike the plan. `leaving`: it is being deleted. `template`: hash of the pod template that
    the canary's workload has now; None where none is named or it is not there.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    release: str
    plan: Plan
    template: str | None = None
    paused: bool = False
    deadline: timedelta | None = None
    rolls_back_undecided: bool = False
    leaving: bool = False
    author: str | None = None
    """Who is told on rollback."""
    hooks: tuple[Hook, ...] = ()
    warm_up_requests: tuple[WarmUpRequest, ...] = ()
    """Not in the plan, for they are as large as people make them, and over before the first step."""

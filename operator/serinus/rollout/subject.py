"""Whose rollout it is, and what the spec asks for now."""

from dataclasses import dataclass

from serinus.rollout.plan import Plan


@dataclass(frozen=True, slots=True)
class Subject:
    """A CanaryDeployment as it is now: who it is, the release it asks for, and the plan a rollout would follow."""

    namespace: str
    name: str
    uid: str
    generation: int
    release: str
    plan: Plan
    paused: bool

"""The rollout: the ladder as a state machine, its plan, its records; pure functions of values."""

from serinus.rollout.advance import Judged, Outcome, Timing, advance
from serinus.rollout.conditions import conditions
from serinus.rollout.intents import Intent, PointSubset, SetWeight
from serinus.rollout.judging import judge_policy
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.plan import Plan, PlanError, release_of
from serinus.rollout.records import Record
from serinus.rollout.subject import Subject

__all__ = [
    "Intent",
    "Judged",
    "Live",
    "Obstacle",
    "Outcome",
    "Plan",
    "PlanError",
    "PointSubset",
    "Record",
    "SetWeight",
    "Subject",
    "Timing",
    "advance",
    "conditions",
    "judge_policy",
    "release_of",
]

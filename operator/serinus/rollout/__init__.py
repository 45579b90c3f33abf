"""The rollout: the ladder as a state machine, its plan, its records; pure functions of values."""

from serinus.rollout.advance import advance
from serinus.rollout.begin import is_over, plan_in_force
from serinus.rollout.conditions import conditions, with_more_warnings, with_warnings
from serinus.rollout.drift import Drift
from serinus.rollout.intents import Intent, PointSubset, SetWeight
from serinus.rollout.judging import judge_policy, with_guard
from serinus.rollout.live import Live, Obstacle
from serinus.rollout.people import NOBODY, Ask, HookFacts, Order, People, Reply
from serinus.rollout.plan import Plan, PlanError, release_of
from serinus.rollout.records import Record
from serinus.rollout.replay import judge_again, judgement_on_record
from serinus.rollout.subject import Subject
from serinus.rollout.tick_record import JudgedTick
from serinus.rollout.trail import NO_TRAIL, Trail
from serinus.rollout.turn import Judged, Outcome, Timing
from serinus.rollout.uneventful import is_uneventful
from serinus.rollout.warm_up import WarmUpCall, WarmUpReply
from serinus.rollout.workload import Restart, Workload

__all__ = [
    "NOBODY",
    "NO_TRAIL",
    "Ask",
    "Drift",
    "HookFacts",
    "Intent",
    "Judged",
    "JudgedTick",
    "Live",
    "Obstacle",
    "Order",
    "Outcome",
    "People",
    "Plan",
    "PlanError",
    "PointSubset",
    "Record",
    "Reply",
    "Restart",
    "SetWeight",
    "Subject",
    "Timing",
    "Trail",
    "WarmUpCall",
    "WarmUpReply",
    "Workload",
    "advance",
    "conditions",
    "is_over",
    "is_uneventful",
    "judge_again",
    "judge_policy",
    "judgement_on_record",
    "plan_in_force",
    "release_of",
    "with_guard",
    "with_more_warnings",
    "with_warnings",
]

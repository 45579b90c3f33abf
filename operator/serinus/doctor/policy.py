"""Whether the policy and the ladder are what their author is likely to have meant."""

from collections.abc import Iterator

from serinus.doctor.finding import Finding, fine, warning
from serinus.rollout import Plan

_CHECK = "policy"
_UNUSUAL = 0.1  # a promise that is broken one time in ten is none


def check_policy(plan: Plan) -> Iterator[Finding]:
    """What is allowed and seldom wise."""
    found = list(_doubtful(plan))
    yield from found
    if not found:
        policy = plan.policy
        yield fine(
            _CHECK,
            f"a good canary is rolled back with probability at most {policy.false_rollback:g}, a bad one promoted with "
            f"at most {policy.false_promotion:g} per step",
        )


def _doubtful(plan: Plan) -> Iterator[Finding]:
    policy = plan.policy
    for field, value, what in (
        ("falseRollback", policy.false_rollback, "a canary within tolerance may be rolled back"),
        ("falsePromotion", policy.false_promotion, "a canary beyond its margin may be promoted, at each step,"),
    ):
        if value > _UNUSUAL:
            yield warning(
                _CHECK,
                f"{field} is {value:g}",
                why=f"So often {what} by chance alone.",
                do="lower it; the defaults are 0.01 and 0.05",
            )
    if policy.promote_on == "notWorse":
        yield warning(
            _CHECK,
            "promoteOn is notWorse",
            why="A canary with too little traffic to show anything is promoted: falsePromotion does not hold.",
            do="use proven, or know that each window must be long enough by itself",
        )
    if not any(metric.effective_kind == "proportion" and metric.is_gating for metric in policy.metrics):
        yield warning(
            _CHECK,
            "no gating metric counts failed requests",
            why="Errors are watched by the guard alone, which rolls back and never has to be shown to be fine.",
            do="add {name: error-rate, template: istio-errors, tolerance: {absolute: 0.02}}",
        )

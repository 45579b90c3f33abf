"""What a canary asks Prometheus at each tick: made once, for it is the same from tick to tick."""

from dataclasses import dataclass

from serinus.metrics import Arms, Inquiry, QueryError, inquiries
from serinus.rollout import Obstacle, Plan


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions about these arms that a plan's policy leads to."""

    plan: Plan
    arms: Arms
    asked: tuple[Inquiry, ...]

    @classmethod
    def of(cls, plan: Plan, arms: Arms, before: "Questions | None") -> "Questions":
        """The questions; `before` where they are the same. Raises Obstacle naming a query that cannot be asked."""
        if before is not None and before.plan is plan and before.arms == arms:
            return before
        try:
            return cls(plan, arms, inquiries(plan.policy, arms))
        except QueryError as error:
            raise Obstacle("InvalidQuery", f"the policy's {error}") from error

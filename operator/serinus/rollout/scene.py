"""What every record is made from, beside the status."""

from dataclasses import dataclass
from datetime import datetime

from serinus.rollout.people import Order
from serinus.rollout.subject import Subject
from serinus.rollout.trail import Trail


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose rollout it is, what time it is, the ticks judged since the last record, and whose order is carried out."""

    subject: Subject
    now: datetime
    trail: Trail
    order: Order | None

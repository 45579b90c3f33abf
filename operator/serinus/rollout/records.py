"""Records: one audit entry per decision, each naming the hash of the one before (R26)."""

import hashlib
from datetime import datetime

from serinus.api import RecordStatus, RowStatus
from serinus.api.model import Lenient
from serinus.rollout.plan import canonical

HISTORY = 20
"""How many records a status keeps, summarised."""

SERINUS = "serinus"
"""The actor of what no person asked for."""


class Record(Lenient):
    """What was decided and what was known then: verdict, comparison, policy, time, actor."""

    id: str
    rollout: str
    namespace: str
    name: str
    time: datetime
    actor: str = SERINUS
    verdict: str
    reason: str
    message: str
    step: int
    weight_before: int
    weight_after: int
    comparison: tuple[RowStatus, ...] = ()
    policy_hash: str
    previous_hash: str

    def digest(self) -> str:
        """SHA-256 of the record in its canonical form; the next record names it."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()

    def line(self) -> str:
        """The record as one line of JSON for the log, its own hash included."""
        data = self.model_dump(mode="json", exclude_none=True)
        return canonical({"serinus": "record", **data, "hash": self.digest()}).decode()

    def summary(self) -> RecordStatus:
        """What a status keeps of it."""
        return RecordStatus(
            id=self.id,
            time=self.time,
            actor=self.actor,
            verdict=self.verdict,
            reason=self.reason,
            weight_before=self.weight_before,
            weight_after=self.weight_after,
            hash=self.digest(),
        )

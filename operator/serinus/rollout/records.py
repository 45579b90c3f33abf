"""Records: one audit entry per decision, each naming the hash of the one before (R26).

A record carries what a later judgement of it needs: the plan, the evidence since the last record, and the verdict and
comparison that came of it.
"""

import hashlib
from datetime import datetime
from typing import Any

from serinus.api import RecordStatus, RowStatus, WorkloadStatus
from serinus.api.model import Lenient
from serinus.api.status import VerdictWord
from serinus.rollout.plan import Plan, canonical
from serinus.rollout.trail import EvidenceRecord

HISTORY = 20
"""How many records a status keeps, summarised."""

SERINUS = "serinus"
"""The actor of what no person asked for."""

_MARK = {"serinus": "record"}  # tells a record's line from others on the same output


class Record(Lenient):
    """What was decided and what was known then: verdict, comparison, policy, evidence, time, actor."""

    id: str
    rollout: str
    namespace: str
    name: str
    author: str | None = None
    """Who made the release, as its spec says."""
    time: datetime
    actor: str = SERINUS
    verdict: str
    reason: str
    message: str
    because: str | None = None
    """Of an override: the reason that the person gave."""
    overruled: VerdictWord | None = None
    """Of an override: the verdict that stood."""
    step: int
    """Index of the step, from 0, that was under way."""
    weight_before: int
    weight_after: int
    comparison: tuple[RowStatus, ...] = ()
    plan: Plan
    policy_hash: str
    stable_workload: WorkloadStatus | None = None
    canary_workload: WorkloadStatus | None = None
    evidence: EvidenceRecord | None = None
    previous_hash: str

    def digest(self) -> str:
        """SHA-256 of the record as its line has it; the next record names it."""
        return hashlib.sha256(canonical(self._body())).hexdigest()

    def line(self) -> str:
        """The record as one line of JSON for the log, its own hash included."""
        return canonical({**self._body(), "hash": self.digest()}).decode()

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

    def _body(self) -> dict[str, Any]:
        return {**_MARK, **self.model_dump(mode="json", exclude_none=True)}

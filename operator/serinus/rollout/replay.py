"""A stored record judged again, to the same bytes (I8): the judge is asked the same, and must answer the same."""

from dataclasses import replace

from serinus.api import RowStatus, VerdictStatus
from serinus.api.model import Lenient
from serinus.judge import State, judge
from serinus.rollout.plan import canonical
from serinus.rollout.present import row_status, verdict_status
from serinus.rollout.records import Record
from serinus.rollout.restarts import RESTARTS


class Judgement(Lenient):
    """What the judge said at the last tick of a record's evidence."""

    verdict: VerdictStatus
    comparison: tuple[RowStatus, ...]

    def canonical(self) -> bytes:
        """The form in which two judgements are compared."""
        return canonical(self.model_dump(mode="json", exclude_none=True))


def judgement_on_record(record: Record) -> Judgement | None:
    """What the record says that the judge said; None where it was taken without the judge."""
    if record.evidence is None:
        return None
    # Whose metrics were read the judge never knew.
    judged = tuple(replace(row, reporter=None) for row in record.comparison if row.kind != RESTARTS)
    return Judgement(verdict=record.evidence.verdict, comparison=judged)


def judge_again(record: Record) -> Judgement | None:
    """What the judge says now to the record's evidence; None where it carries none.

    Raises StateError when the judge's state in the record is damaged or of a version that this judge does not read.
    """
    if record.evidence is None:
        return None
    policy = record.plan.judged_by
    state = State.unpack(record.evidence.before, policy)
    for tick in record.evidence.ticks:
        state, rows, verdict = judge(policy, state, tick.tick(), window=tick.window)
    return Judgement(
        verdict=verdict_status(verdict, record.evidence.ticks[-1].end),
        comparison=tuple(row_status(row) for row in rows),
    )

"""The trail: every rollout under way keeps one, so it is kept small, and gives back what went in."""

from datetime import UTC, datetime, timedelta

from serinus.judge import GUARD, Counts, Evidence, State, Tick, Verdict
from serinus.rollout import NO_TRAIL, JudgedTick
from serinus.rollout.tick_record import TickRecord
from tests.rollout.conftest import subject

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STATE = State.start(subject().plan.judged_by)
VERDICT = Verdict("hold", "Undecided", "not yet")


def judged(number: int) -> JudgedTick:
    seen = Evidence(canary=Counts(0.7 + number, 1 / 3), stable=Counts(1e6 + number, 7.0))
    end = START + timedelta(seconds=15 * number)
    return JudgedTick(STATE, Tick(step=0, evidence={GUARD: seen}), 4, end, 0.25)


def test_all_ticks_come_back_in_order_and_to_the_bit_I8() -> None:
    ticks = [judged(number) for number in range(97)]
    record = NO_TRAIL.after(*ticks).answered(VERDICT, ticks[-1].end).record()
    assert record is not None
    assert record.before == STATE.pack()
    assert record.ticks == tuple(TickRecord.model_validate_json(tick.line()) for tick in ticks)
    assert [each.tick().evidence for each in record.ticks] == [each.tick.evidence for each in ticks]


def test_of_a_long_trail_the_newest_120_ticks_or_more_stay() -> None:
    ticks = [judged(number) for number in range(500)]
    record = NO_TRAIL.after(*ticks).answered(VERDICT, ticks[-1].end).record()
    assert record is not None
    assert 120 <= len(record.ticks) <= 240
    assert record.ticks[-1].end == ticks[-1].end

"""A judged tick on record: nothing of what the judge was given is lost, rounded or told in another form (I8)."""

from datetime import UTC, datetime

import numpy as np
import pytest

from serinus.judge import GUARD, Counts, Evidence, Missing, State, Tick
from serinus.judge.evidence import Classes, Events, Histogram, Sample, Values
from serinus.rollout import JudgedTick
from serinus.rollout.plan import canonical
from serinus.rollout.tick_record import TickRecord
from tests.rollout.conftest import subject

END = datetime(2026, 11, 21, 12, 0, 15, 500_000, tzinfo=UTC)
STATE = State.start(subject().plan.judged_by)


def on_record(tick: Tick, rollback: float = 0.25) -> TickRecord:
    return TickRecord.model_validate_json(JudgedTick(STATE, tick, 4, END, rollback).line())


@pytest.mark.parametrize(
    "sample",
    [
        Counts(3.0, 1.0),
        Counts(1e22 / 3, 5e-324),
        Events(2.5, 15.0),
        Histogram((0.1, 50.0, 1000.0, np.inf), np.array([0.0, 812.0, 955.0, 1000.0])),
        Classes(("pos", "neg", "10"), np.array([61.0, 39.0, 0.1])),
        Values(np.array([1e-9, 0.1 + 0.2])),
        None,
    ],
    ids=lambda sample: type(sample).__name__,
)
@pytest.mark.parametrize("straddles", [True, False])
@pytest.mark.parametrize("missing", [Missing.PARTIAL, None])
def test_evidence_of_every_kind_is_kept_to_the_bit_I8(
    sample: Sample | None, straddles: bool, missing: Missing | None
) -> None:
    seen = Evidence(sample, sample, straddles=straddles, missing=missing)
    kept = on_record(Tick(step=0, evidence={"m": seen})).tick().evidence["m"]
    assert (kept.straddles, kept.missing) == (straddles, missing)
    for found in (kept.canary, kept.stable):
        assert repr(found) == repr(sample)


@pytest.mark.parametrize("bake", [True, False])
def test_a_tick_is_kept_with_its_step_its_length_and_its_window_I8(bake: bool) -> None:
    tick = Tick(step=3, evidence={}, length=0.2, bake=bake)
    record = on_record(tick)
    assert record.tick() == tick
    assert (record.end, record.window) == (END, 4)


def test_numbers_that_are_numpys_are_told_as_others_are_I8() -> None:
    tick = Tick(step=0, evidence={"m": Evidence(Counts(np.float64(3), np.float64(1)))}, length=np.float64(1))
    assert on_record(tick, rollback=np.float64(0.0625)).model_dump(mode="json", exclude_none=True) == {
        "end": "2026-11-21T12:00:15.500000Z",
        "step": 0,
        "length": 1.0,
        "bake": False,
        "window": 4,
        "rollback": 0.062,
        "evidence": {"m": {"canary": {"n": 3.0, "x": 1.0}, "straddles": False}},
    }


def test_a_record_has_the_same_bytes_as_those_that_are_hashed_already_I8() -> None:
    evidence = {
        GUARD: Evidence(Counts(300, 3), Counts(2700.0, 1 / 3), missing=Missing.RESET),
        "latency": Evidence(stable=Histogram((50.0, np.inf), np.array([812.0, 955.0])), straddles=True),
        "share": Evidence(Events(300.0, 10), Events(2700.0, 90)),
        "prediction": Evidence(Classes(("pos", "neg"), np.array([61.0, 39.0])), Classes(("pos", "neg"), np.zeros(2))),
        "memory": Evidence(Values(np.array([1e9, 2.5e9])), Values(np.array([]))),
    }
    record = on_record(Tick(step=1, evidence=evidence), rollback=0.12345)
    assert canonical(record.model_dump(mode="json", exclude_none=True)).decode() == (
        '{"bake":false,"end":"2026-11-21T12:00:15.500000Z","evidence":{"error-guard":{"canary":{"n":300.0,"x":3.0},'
        '"missing":"counter reset","stable":{"n":2700.0,"x":0.3333333333333333},"straddles":false},'
        '"latency":{"stable":{"buckets":{"+Inf":955.0,"50.0":812.0}},"straddles":true},'
        '"memory":{"canary":{"values":[1000000000.0,2500000000.0]},"stable":{"values":[]},"straddles":false},'
        '"prediction":{"canary":{"classes":[["pos",61.0],["neg",39.0]]},'
        '"stable":{"classes":[["pos",0.0],["neg",0.0]]},"straddles":false},'
        '"share":{"canary":{"exposure":10.0,"x":300.0},"stable":{"exposure":90.0,"x":2700.0},"straddles":false}},'
        '"length":1.0,"rollback":0.123,"step":1,"window":4}'
    )

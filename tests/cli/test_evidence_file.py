"""What a line of each kind of metric says to the judge, and what it may not say: refused by line and field."""

import json
import re
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from serinus.api.kinds import Kind
from serinus.cli.evidence_file import parse_evidence
from serinus.cli.inputs import InputError
from serinus.judge.evidence import Classes, Counts, Events, Histogram, Sample, Values
from tests.cli.evidence import (
    ERRORS,
    LATENCY,
    MEMORY,
    PREDICTION,
    RETRIES,
    Files,
    assert_refused,
    line,
    policy,
    text,
)

PAGE = (Path(__file__).parents[2] / "docs/judge.md").read_text()
KINDS: Mapping[str, Kind] = {
    "error-rate": "proportion",
    "conversion": "proportion",
    "latency": "latency",
    "prediction": "distribution",
    "retries": "rate",
    "memory": "gauge",
}
ARMS: dict[str, dict[str, Any]] = {
    "error-rate": {"n": 300, "x": 3},
    "latency": {"buckets": {"50": 812, "100": 955, "+Inf": 1000}},
    "prediction": {"classes": {"pos": 61, "neg": 39}},
    "retries": {"x": 12, "exposure": 15.0},
    "memory": {"values": [0.5, 512, -1.5]},
}


def of(metric: str, canary: Any = None, stable: Any = None) -> dict[str, Any]:
    """A line of the metric; an arm that is not given is a good one."""
    return line(metric=metric, canary=canary or ARMS[metric], stable=stable or ARMS[metric])


def both(metric: str, canary: Any = None, stable: Any = None) -> tuple[Sample, Sample]:
    """What the judge is given of such a line."""
    [parsed] = parse_evidence(text([of(metric, canary, stable)]), "", KINDS)
    return parsed.canary, parsed.stable


def test_a_proportion_is_counts() -> None:
    assert both("error-rate", {"n": 300, "x": 6}, {"n": 2700, "x": 27}) == (Counts(300, 6), Counts(2700, 27))


def histogram(sample: Sample) -> dict[float, float]:
    assert isinstance(sample, Histogram)
    assert sample.bounds == tuple(sorted(sample.bounds))
    return dict(zip(sample.bounds, sample.cumulative.tolist(), strict=True))


def classes(sample: Sample) -> dict[str, float]:
    assert isinstance(sample, Classes)
    return dict(zip(sample.names, sample.counts.tolist(), strict=True))


def test_a_latency_is_a_histogram_whatever_the_order_of_its_buckets() -> None:
    canary, _ = both("latency", {"buckets": {"+Inf": 1000, "1e+02": 955, "0.5": 3, "50": 812}})
    assert histogram(both("latency")[0]) == {50: 812, 100: 955, inf: 1000}
    assert histogram(canary) == {50: 812, 100: 955, inf: 1000}
    same, _ = both("latency", *[{"buckets": {"+Inf": 9, "1e+02": 8, "0.5": 3, "50.0": 3}}] * 2)
    assert histogram(same) == {0.5: 3, 50: 3, 100: 8, inf: 9}


def test_both_arms_of_a_latency_have_the_bounds_common_to_both() -> None:
    canary, stable = both(
        "latency",
        {"buckets": {"25": 10, "50": 20, "100": 30, "+Inf": 40}},
        {"buckets": {"10": 100, "50": 200, "100": 300, "250": 350, "+Inf": 400}},
    )
    assert histogram(canary) == {50: 20, 100: 30, inf: 40}
    assert histogram(stable) == {50: 200, 100: 300, inf: 400}


@pytest.mark.parametrize("silent", [0, 1])
def test_a_silent_arm_takes_no_bound_from_the_other(silent: int) -> None:
    arms = [ARMS["latency"], {"buckets": {"75": 0, "+Inf": 0}}]
    found = both("latency", *(arms if silent else arms[::-1]))
    assert histogram(found[silent]) == {50: 0, 100: 0, inf: 0}
    assert histogram(found[1 - silent]) == {50: 812, 100: 955, inf: 1000}


def test_a_class_that_an_arm_lacks_came_0_times_there() -> None:
    canary, stable = both("prediction", {"classes": {"pos": 61, "error": 1}}, {"classes": {"neg": 39, "pos": 60}})
    assert classes(canary) == {"error": 1, "neg": 0, "pos": 61}
    assert classes(stable) == {"error": 0, "neg": 39, "pos": 60}
    assert isinstance(canary, Classes)
    assert isinstance(stable, Classes)
    assert canary.names == stable.names


def test_an_arm_without_classes_has_no_requests() -> None:
    canary, _ = both("prediction", {"classes": {}})
    assert classes(canary) == {"neg": 0, "pos": 0}


def test_a_rate_is_events_and_exposure() -> None:
    assert both("retries", {"x": 12, "exposure": 15.5}, {"x": 0, "exposure": 0}) == (Events(12, 15.5), Events(0, 0))


def test_a_gauge_is_its_values() -> None:
    canary, stable = both("memory", {"values": [0.5, 512, -1.5]}, {"values": []})
    assert isinstance(canary, Values)
    assert isinstance(stable, Values)
    assert canary.values.tolist() == [0.5, 512.0, -1.5]
    assert stable.values.tolist() == []
    assert canary.values.dtype == np.float64


@given(st.dictionaries(st.floats(0.001, 1e6), st.integers(0, 10**6), min_size=1, max_size=30), st.integers(0, 10**6))
def test_a_histogram_is_read_as_it_was_written(steps: dict[float, int], beyond: int) -> None:
    bounds = sorted(steps)
    counts = np.cumsum([steps[bound] for bound in bounds]).tolist()
    buckets = dict(zip(map(repr, bounds), counts, strict=True)) | {"+Inf": counts[-1] + beyond}
    canary, _ = both("latency", *[{"buckets": buckets}] * 2)
    assert histogram(canary) == dict(zip(bounds, counts, strict=True)) | {inf: counts[-1] + beyond}


def buckets_at(*bounds: str) -> dict[str, Any]:
    return {"buckets": dict.fromkeys((*bounds, "+Inf"), 1)}


def buckets(**changes: int | float | str | None) -> dict[str, Any]:
    """A good arm of a latency with some buckets changed; None takes one away."""
    merged = {**ARMS["latency"]["buckets"], **changes}
    return {"buckets": {name: count for name, count in merged.items() if count is not None}}


WHOLE = "must be a whole number from 0 to 1000000000000"
BAD_LATENCY = {
    "a count falls": (buckets(**{"100": 800}), r'buckets: "100" has 800, fewer than "50" \(812\); .* cumulative'),
    "all are fewer": (buckets(**{"+Inf": 954}), r'buckets: "\+Inf" has 954, fewer than "100" \(955\)'),
    "no +Inf": (buckets(**{"+Inf": None}), r'buckets: "\+Inf" is required'),
    "no bucket": ({"buckets": {}}, r'buckets: "\+Inf" is required'),
    "only +Inf": (buckets(**{"50": None, "100": None}), r'buckets: "\+Inf" is the only bound'),
    "a bound is a word": (buckets(fast=1), r'buckets: "fast" is not a bound \(a number of milliseconds above 0, or'),
    "a bound has a unit": (buckets(**{"50ms": 1}), 'buckets: "50ms" is not a bound'),
    "a bound is nothing": (buckets(**{"": 1}), 'buckets: "" is not a bound'),
    "a bound is 0": (buckets(**{"0.0": 1}), 'buckets: "0.0" is not a bound'),
    "a bound is negative": (buckets(**{"-5": 1}), 'buckets: "-5" is not a bound'),
    "a bound is NaN": (buckets(nan=1), 'buckets: "nan" is not a bound'),
    "a bound is infinite otherwise": (buckets(inf=1000), 'buckets: "inf" is not a bound'),
    "a bound is too large": (buckets(**{"1e400": 1000}), 'buckets: "1e400" is not a bound'),
    "a bound only Python reads": (buckets(**{"1_0": 1}), 'buckets: "1_0" is not a bound'),
    "a bound in other digits": (buckets(**{"٥": 1}), 'buckets: "٥" is not a bound'),
    "a bound twice": (buckets(**{"50.0": 812}), 'buckets: "50.0" is the same bound as "50"'),
    "a count is negative": (buckets(**{"50": -1}), rf'buckets\["50"\]: {WHOLE}, not -1'),
    "a count is a fraction": (buckets(**{"50": 1.5}), rf'buckets\["50"\]: {WHOLE}, not 1.5'),
    "a count is a text": (buckets(**{"50": "1"}), rf'buckets\["50"\]: {WHOLE}, not "1"'),
    "a count is NaN": (buckets(**{"50": float("nan")}), rf'buckets\["50"\]: {WHOLE}, not NaN'),
    "a count is infinite": (buckets(**{"50": inf}), rf'buckets\["50"\]: {WHOLE}, not Infinity'),
    "buckets are a list": ({"buckets": [812, 955]}, "buckets: must be an object, not a list"),
    "buckets are null": ({"buckets": None}, "buckets: must be an object, not null"),
    "a proportion": (ARMS["error-rate"], "n: is not a field of a latency's evidence, which has buckets"),
    "buckets and more": ({**buckets(), "n": 1000}, "n: is not a field of a latency's evidence"),
    "a number": (7, ": must be an object with buckets, not 7"),
}
BAD_DISTRIBUTION = {
    "a count is negative": ({"classes": {"pos": -1}}, rf'classes\["pos"\]: {WHOLE}, not -1'),
    "a count is a fraction": ({"classes": {"a b.c": 0.5}}, rf'classes\["a b.c"\]: {WHOLE}, not 0.5'),
    "a count is infinite": ({"classes": {"pos": inf}}, rf'classes\["pos"\]: {WHOLE}, not Infinity'),
    "a class steers a terminal": ({"classes": {"\x1b[2J": 1}}, "classes: .* is not a name of printable characters"),
    "classes are a list": ({"classes": ["pos"]}, "classes: must be an object, not a list"),
    "a latency": (ARMS["latency"], "buckets: is not a field of a distribution's evidence, which has classes"),
}
BAD_RATE = {
    "x is negative": ({"x": -1, "exposure": 1}, f"x: {WHOLE}, not -1"),
    "x is a fraction": ({"x": 1.5, "exposure": 1}, f"x: {WHOLE}, not 1.5"),
    "the exposure is negative": ({"x": 1, "exposure": -0.1}, "exposure: must be a number from 0 to 10+, not -0.1"),
    "the exposure is a text": ({"x": 1, "exposure": "9"}, 'exposure: must be a number from 0 to 10+, not "9"'),
    "the exposure is true": ({"x": 1, "exposure": True}, "exposure: must be a number from 0 to 10+, not true"),
    "the exposure is NaN": ({"x": 1, "exposure": float("nan")}, "exposure: must be a number from 0 to 10+, not NaN"),
    "the exposure is infinite": ({"x": 1, "exposure": inf}, "exposure: must be a number .*, not Infinity"),
    "the exposure has no end": ({"x": 1, "exposure": 10**400}, "exposure: must be a number .*, not 1000"),
    "events of nothing": ({"x": 3, "exposure": 0}, r"exposure: must be above 0 where there are events \(x is 3\)"),
    "the exposure is missing": ({"x": 1}, "exposure: is required"),
    "a proportion": ({"x": 1, "n": 5}, "n: is not a field of a rate's evidence, which has x, exposure"),
}
BAD_GAUGE = {
    "a value is a text": ({"values": [1, "2"]}, r'values\[1\]: must be a number from .*, not "2"'),
    "a value is null": ({"values": [None]}, r"values\[0\]: must be a number from .*, not null"),
    "a value is true": ({"values": [True]}, r"values\[0\]: must be a number from .*, not true"),
    "a value is NaN": ({"values": [1, 2, float("nan")]}, r"values\[2\]: must be a number from .*, not NaN"),
    "a value is infinite": ({"values": [-inf]}, r"values\[0\]: must be a number from .*, not -Infinity"),
    "a value is beyond all sums": ({"values": [1e308]}, r"values\[0\]: must be a number from .*, not 1e\+308"),
    "a value is a list": ({"values": [[1]]}, r"values\[0\]: must be a number from .*, not a list"),
    "values are a number": ({"values": 512}, "values: must be a list, not 512"),
    "values by pod": ({"values": {"pod-1": 512}}, "values: must be a list, not an object"),
    "another name": ({"value": 512}, "value: is not a field of a gauge's evidence, which has values"),
}
BAD_PROPORTION: dict[str, tuple[object, str]] = {
    "a latency": (ARMS["latency"], "buckets: is not a field of a proportion's evidence, which has n, x"),
    "a rate": (ARMS["retries"], "exposure: is not a field of a proportion's evidence, which has n, x"),
    "a list": ([300, 3], ": must be an object with n, x, not a list"),
}
BAD_ARMS = {
    f"{metric}: {what}": (metric, arm, told)
    for metric, cases in {
        "error-rate": BAD_PROPORTION,
        "latency": BAD_LATENCY,
        "prediction": BAD_DISTRIBUTION,
        "retries": BAD_RATE,
        "memory": BAD_GAUGE,
    }.items()
    for what, (arm, told) in cases.items()
}


@pytest.mark.parametrize(("metric", "arm", "told"), BAD_ARMS.values(), ids=BAD_ARMS.keys())
@pytest.mark.parametrize("name", ["canary", "stable"])
def test_a_bad_arm_is_named_with_its_field(name: str, metric: str, arm: Any, told: str) -> None:
    place = f"{name}{'' if told.startswith(':') else '[.]'}{told}"
    with pytest.raises(InputError, match=f"^evidence.jsonl line 2: {place}"):
        parse_evidence(text([line(), of(metric, **{name: arm})]), "evidence.jsonl", KINDS)


def test_histograms_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(InputError, match=r"line 1: stable.buckets: has no bound in common with canary.buckets but"):
        both("latency", {"buckets": {"50": 1, "+Inf": 2}}, {"buckets": {"60": 1, "+Inf": 2}})


def test_histograms_that_cannot_be_compared_from_tick_to_tick_are_refused() -> None:
    """Bounds may come and go, and other rollouts have others, as long as some stay."""
    arms = [buckets_at("10", "50"), buckets_at("50", "60"), buckets_at("10", "50")]
    good = [of("latency", arm, arm) | {"tick": tick} for tick, arm in enumerate(arms)]
    other = of("latency", buckets_at("60"), buckets_at("60"))
    parse_evidence(text([*good, other | {"rollout": "r2"}]), "", KINDS)
    with pytest.raises(InputError, match=r"line 4: canary.buckets: no bound but \+Inf is common to this tick and"):
        parse_evidence(text([*good, other | {"tick": 3}]), "", KINDS)


def test_a_bucket_or_class_twice_is_refused() -> None:
    for good, twice in {'"50": 812': '"50": 812, "50": 812', '"pos": 61': '"pos": 61, "pos": 0'}.items():
        [written] = [json.dumps(of(name)) for name in ("latency", "prediction") if good in json.dumps(of(name))]
        with pytest.raises(InputError, match=r"line 1: (50|pos): is given twice"):
            parse_evidence(written.replace(good, twice, 1), "", KINDS)


HALF = "\ud800"
HALVES = {
    "an unknown field": line(**{HALF: 1}),
    "a count's name": of("error-rate", {"n": 1, "x": 0, HALF: 0}),
    "a bound": of("latency", {"buckets": {HALF: 1}}),
    "a class": of("prediction", {"classes": {HALF: 1}}),
    "a value": of("memory", {"values": [HALF]}),
    "a metric": line(metric=HALF),
    "a rollout": line(rollout=HALF),
}


@pytest.mark.parametrize("bad", HALVES.values(), ids=HALVES.keys())
def test_half_a_character_is_refused_wherever_it_stands(files: Files, bad: dict[str, Any]) -> None:
    files.evidence.write_text(text([line(), bad]))
    assert_refused(files.judge("-o", "json"), r"evidence\.jsonl line 2: not JSON: \\ud800 is half of a character")


def test_a_class_may_be_any_text() -> None:
    name = 'ein "schönes" Wort 😀, {n} %s'
    canary, _ = both("prediction", *[{"classes": {name: 1}}] * 2)
    assert classes(canary) == {name: 1}


@pytest.mark.parametrize("metric", [LATENCY, PREDICTION, RETRIES, MEMORY], ids=lambda metric: str(metric["name"]))
def test_the_policy_says_what_kind_a_metric_is_of(files: Files, metric: dict[str, Any]) -> None:
    files.policy.write_text(yaml.safe_dump(policy(ERRORS, metric)))
    files.evidence.write_text(text([line(), of(metric["name"]), line(1, metric=metric["name"])]))
    assert_refused(files.judge("-o", "json"), r"evidence\.jsonl line 3: canary\.n: is not a field of a ")


@pytest.mark.parametrize("metric", KINDS)
def test_the_documented_shape_of_each_kind_is_read(metric: str) -> None:
    [arm] = re.findall(rf"\| `{KINDS[metric]}` \| `(.*?)` \|", PAGE)
    both(metric, *[json.loads(arm)] * 2)


def test_the_documented_messages_are_what_is_told(files: Files) -> None:
    files.policy.write_text(yaml.safe_dump(policy(ERRORS, LATENCY)))
    good = [of("latency") | {"tick": tick} for tick in range(16)]
    falling = of("latency", buckets(**{"100": 800})) | {"tick": 16}
    proportion = line(17, metric="latency")
    told = re.findall(r"^    evidence\.jsonl (.*)$", PAGE, re.MULTILINE)
    assert len(told) == 2
    files.evidence.write_text(text([*good, falling]))
    assert_refused(files.judge(), re.escape(told[0]))
    files.evidence.write_text(text([*good, of("latency") | {"tick": 16}, proportion]))
    assert_refused(files.judge(), re.escape(told[1]))

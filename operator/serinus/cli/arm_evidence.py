"""What was counted in one arm in one tick, as a file has it: one shape for each kind of metric."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import numpy as np
from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from serinus.api.kinds import Kind
from serinus.cli.strict import MOST, Amount, Level, Strict, Whole, shown
from serinus.judge.evidence import Classes, Counts, Events, Histogram, Sample, Values


class ArmEvidence(Strict, ABC):
    """One arm's part of a line."""

    @abstractmethod
    def sample(self) -> Sample:
        """The same as the judge takes it."""


class ArmCounts(ArmEvidence):
    """Of a proportion: requests (`n`) and how many of them were events (`x`)."""

    n: Whole
    x: Whole

    @field_validator("x")
    @classmethod
    def _events_are_requests(cls, x: int, info: ValidationInfo) -> int:
        n = info.data.get("n", MOST)  # absent where n itself is wrong
        if x > n:
            raise PydanticCustomError("events", "{x} is more than n ({n})", {"x": x, "n": n})
        return x

    def sample(self) -> Counts:
        """Requests and events."""
        return Counts(float(self.n), float(self.x))


class ArmBuckets(ArmEvidence):
    """Of a latency: how many requests took at most so many milliseconds, +Inf for all of them."""

    buckets: dict[str, Whole]

    @field_validator("buckets")
    @classmethod
    def _are_cumulative(cls, buckets: dict[str, int]) -> dict[str, int]:
        for lower, upper in pairwise(_bounds(tuple(buckets))):
            if buckets[upper] < buckets[lower]:
                told = f"has {buckets[upper]}, fewer than {shown(lower)} ({buckets[lower]}); the counts are cumulative"
                raise _bad_bucket(upper, told)
        return buckets

    def sample(self) -> Histogram:
        """The counts by rising bound."""
        bounds = _bounds(tuple(self.buckets))
        counts = [self.buckets[name] for name in bounds]
        return Histogram(tuple(bounds.values()), np.array(counts, dtype=float))


class ArmClasses(ArmEvidence):
    """Of a distribution: requests by class."""

    classes: dict[str, Whole]

    @field_validator("classes")
    @classmethod
    def _can_be_shown(cls, classes: dict[str, int]) -> dict[str, int]:
        for name in classes:
            if not name.isprintable():
                told = "{name} is not a name of printable characters"
                raise PydanticCustomError("class", told, {"name": shown(name)})
        return classes

    def sample(self) -> Classes:
        """The counts in the line's order."""
        return Classes(tuple(self.classes), np.array(list(self.classes.values()), dtype=float))


class ArmEvents(ArmEvidence):
    """Of a rate: events (`x`) and what they are counted against (`exposure`), in a unit that both arms share."""

    x: Whole
    exposure: Amount

    @field_validator("exposure")
    @classmethod
    def _events_are_exposed(cls, exposure: float, info: ValidationInfo) -> float:
        x = info.data.get("x", 0)  # absent where x itself is wrong
        if x > 0 and exposure == 0:
            raise PydanticCustomError("exposure", "must be above 0 where there are events (x is {x})", {"x": x})
        return exposure

    def sample(self) -> Events:
        """Events and exposure."""
        return Events(float(self.x), self.exposure)


class ArmValues(ArmEvidence):
    """Of a gauge: its value in each of the arm's pods, at the tick's end."""

    values: list[Level]

    def sample(self) -> Values:
        """The values in the line's order."""
        return Values(np.array(self.values, dtype=float))


SHAPES: Mapping[Kind, type[ArmEvidence]] = {
    "proportion": ArmCounts,
    "latency": ArmBuckets,
    "distribution": ArmClasses,
    "rate": ArmEvents,
    "gauge": ArmValues,
}
"""What an arm's evidence of each kind of metric looks like."""

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")  # as JSON and Prometheus write one; float() reads more


@lru_cache  # one line after another has the same names
def _bounds(names: tuple[str, ...]) -> Mapping[str, float]:
    """The milliseconds that buckets of these names go up to, rising to infinity. Raises what pydantic is to report."""
    bounds: dict[float, str] = {}
    for name in names:
        bound = _milliseconds(name)
        if bound is None:
            raise _bad_bucket(name, "is not a bound (a number of milliseconds above 0, or +Inf)")
        if bound in bounds:
            raise _bad_bucket(name, f"is the same bound as {shown(bounds[bound])}")
        bounds[bound] = name
    if math.inf not in bounds:
        raise _bad_bucket("+Inf", "is required: it counts all requests")
    if len(bounds) == 1:
        raise _bad_bucket("+Inf", "is the only bound: of such requests nothing is known but their number")
    return {bounds[bound]: bound for bound in sorted(bounds)}


def _milliseconds(name: str) -> float | None:
    """The bound that a bucket is named after; None if that is none."""
    if name == "+Inf":
        return math.inf
    bound = float(name) if _NUMBER.fullmatch(name) else 0.0
    return bound if 0 < bound < math.inf else None


def _bad_bucket(name: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("bucket", "{told}", {"told": f"{shown(name)} {why}"})

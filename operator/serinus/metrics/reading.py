"""What an answer says of each part of a question: rises by label, and what is doubtful about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeGuard

from serinus.metrics.answers import NativeHistogram, Row, Value
from serinus.metrics.arms import Side
from serinus.metrics.rises import BASELINES, CHANGED, OF, RESETS, RISE, SCRAPED, WHAT

_REST = (RESETS, BASELINES, SCRAPED, CHANGED)
_MOST = 1000  # rows of one arm, classes or pods: more are no metric but a mistake


class Counted(NamedTuple):  # made a dozen times a tick
    """One part of an answer.

    `rises`: how far the counters rose, by the values of the labels that they were asked for by. `native`: the rise of a
    native histogram. `resets`, `baselines`: how many series were reset, and how many began without anybody knowing
    since when they count. `scraped`: Unix time of the newest sample. `changed`: of a plain question, whether series
    began or were reset, which makes its rises wrong. `flaw`: why the numbers cannot be believed.
    """

    rises: Mapping[tuple[str, ...], float] = MappingProxyType({})
    native: NativeHistogram | None = None
    resets: float = 0.0
    baselines: float = 0.0
    scraped: float | None = None
    changed: bool = False
    flaw: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there are series at all."""
        return bool(self.rises) or self.native is not None or self.scraped is not None

    def is_sound(self, since: float) -> bool:
        """Whether nothing about it is doubtful, and it has a sample newer than `since`."""
        return self.scraped is not None and self.scraped > since and not (self.resets or self.baselines)

    @property
    def total(self) -> float:
        """All rises together."""
        return sum(self.rises.values())


NOTHING = Counted()


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, by the parts of its question."""

    parts: Mapping[str, Counted]

    def of(self, side: Side, name: str) -> Counted:
        """One arm's share of what is called `name`."""
        return self.parts.get(part_of(side, name), NOTHING)

    def shared(self, name: str) -> Counted:
        """What is nobody's."""
        return self.parts.get(name, NOTHING)


def part_of(side: Side, name: str) -> str:
    """What an arm's part of a question is called."""
    return f"{side} {name}"


class Spot(NamedTuple):
    """What a series' labels say of its number: which number it is, and of what; None where it counts by itself."""

    what: str
    key: tuple[str, ...] | None


Told = tuple[Spot, Value]
"""A number of an answer, and what it says."""


@dataclass(frozen=True, slots=True)
class Form:
    """Where the numbers of one part stand in an answer: spots, and the places of their numbers.

    `keys`: those of the rises; `rest`: what the other numbers are; `at`: the places of the ones and then the others.
    `odd`: all spots with their places, where some number has no meaning of its own; else only the numbers' values can
    be wrong.
    """

    keys: tuple[tuple[str, ...], ...]
    rest: tuple[str, ...]
    at: tuple[int, ...]
    odd: tuple[tuple[Spot, int], ...] = ()

    @classmethod
    def of(cls, spots: Sequence[tuple[Spot, int]]) -> Self:
        """The form of a part with these spots."""
        rises = {spot.key: index for spot, index in spots if spot.what == RISE and spot.key is not None}
        rest = {spot.what: index for spot, index in spots if spot.what in _REST}
        is_plain = len(rises) + len(rest) == len(spots) and len(rises) <= _MOST
        odd = () if is_plain else tuple(spots)
        return cls(tuple(rises), tuple(rest), (*rises.values(), *rest.values()), odd)

    def counted(self, values: Sequence[Value]) -> Counted:
        """The part's numbers, from all the values of an answer."""
        if self.odd:
            return counted([(spot, values[index]) for spot, index in self.odd])
        numbers = [values[index] for index in self.at]
        if not _are_counts(numbers):
            spots = [*(Spot(RISE, key) for key in self.keys), *(Spot(what, None) for what in self.rest)]
            return counted(zip(spots, numbers, strict=True))
        told = dict(zip(self.rest, numbers[len(self.keys) :], strict=True))
        return Counted(
            rises=dict(zip(self.keys, numbers, strict=False)),
            resets=told.get(RESETS, 0.0),
            baselines=told.get(BASELINES, 0.0),
            scraped=told.get(SCRAPED),
            changed=CHANGED in told,
        )


def spot(labels: Mapping[str, str], by: tuple[str, ...] | None) -> Spot:
    """Where a series belongs in a part that is told apart by the labels `by`; with None every series is for itself."""
    return Spot(labels.get(WHAT, RISE), None if by is None else tuple([labels.get(name, "") for name in by]))


def counted(told: Iterable[Told]) -> Counted:
    """The numbers of one part, whatever they are."""
    rises: dict[tuple[str, ...], float] = {}
    native: NativeHistogram | None = None
    sums = dict.fromkeys((RESETS, BASELINES, CHANGED), 0.0)
    scraped: float | None = None
    flaw = ""
    for (what, key), value in told:
        if isinstance(value, NativeHistogram):
            flaw = flaw or ("duplicate series" if native else _flaw_of_buckets(value))
            native = value
        elif not isfinite(value):
            flaw = f"a value of {value}"
        elif what == RISE:
            place = (str(len(rises)),) if key is None else key
            if place in rises:
                flaw = flaw or "duplicate series"
            if value < 0 and key is not None:
                flaw = f"a count of {value:g}"
            rises[place] = value
        elif what == SCRAPED:
            scraped = max(value, scraped or value)
        elif what in sums:
            sums[what] += value
        else:
            flaw = f'a label {WHAT}="{what}", which no series may have'
    if len(rises) > _MOST:
        rises, flaw = {}, f"{len(rises)} series, of which at most {_MOST} are read"
    return Counted(rises, native, sums[RESETS], sums[BASELINES], scraped, sums[CHANGED] != 0, flaw)


def _are_counts(values: list[Any]) -> TypeGuard[list[float]]:
    """Whether all of them are what counts can be."""
    try:
        # Forty thousand times a tick: builtins are several times as fast as a loop. A NaN makes the sum one.
        return bool(min(values, default=0.0) >= 0 and sum(values) < inf)
    except TypeError:  # a native histogram is among them
        return False


def _flaw_of_buckets(histogram: NativeHistogram) -> str:
    bounded = all(isfinite(count) and count >= 0 for _, _, count in histogram.buckets)
    return "" if bounded and isfinite(histogram.count) else "a native histogram with impossible buckets"


def by_part(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of an answer by the part that they belong to."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(row.labels.get(OF, ""), []).append(row)
    return parts

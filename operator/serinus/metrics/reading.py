"""What an answer says of each part of a question: rises by label, and what is doubtful about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from serinus.metrics.answers import NativeHistogram, Row
from serinus.metrics.arms import Side
from serinus.metrics.rises import BASELINES, CHANGED, OF, RESETS, RISE, SCRAPED, UNCHANGED, WHAT

_MOST = 1000  # rows of one arm, classes or pods: more are no metric but a mistake


@dataclass(frozen=True, slots=True)
class Counted:
    """One part of an answer.

    `rises`: how far the counters rose, by the values of the labels that they were asked for by. `native`: the rise of a
    native histogram. `resets`, `baselines`: how many series were reset, and how many began without anybody knowing
    since when they count. `scraped`: Unix time of the newest sample. `changed`: of a plain question, whether series
    began or were reset, which makes its rises wrong. `flaw`: why the numbers cannot be believed.
    """

    rises: Mapping[tuple[str, ...], float] = field(default_factory=dict)
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

    @property
    def is_exact(self) -> bool:
        """Whether nothing happened that a plain question cannot count."""
        return not any(part.changed for part in self.parts.values())

    def shared(self, name: str) -> Counted:
        """What is nobody's."""
        return self.parts.get(name, NOTHING)


def part_of(side: Side, name: str) -> str:
    """What an arm's part of a question is called."""
    return f"{side} {name}"


def counted(rows: Iterable[Row], by: tuple[str, ...] | None) -> Counted:
    """The rows of one part, told apart by the labels `by`; with None every row counts by itself."""
    rises: dict[tuple[str, ...], float] = {}
    native: NativeHistogram | None = None
    sums = dict.fromkeys((RESETS, BASELINES, CHANGED, UNCHANGED), 0.0)
    scraped: float | None = None
    flaw = ""
    for row in rows:
        what = row.labels.get(WHAT, RISE)
        if isinstance(row.value, NativeHistogram):
            flaw = flaw or ("duplicate series" if native else _flaw_of_buckets(row.value))
            native = row.value
        elif not isfinite(row.value):
            flaw = f"a value of {row.value}"
        elif what == RISE:
            key = (str(len(rises)),) if by is None else tuple([row.labels.get(name, "") for name in by])
            flaw = flaw or ("duplicate series" if key in rises else "")
            if row.value < 0 and by is not None:
                flaw = f"a count of {row.value:g}"
            rises[key] = row.value
        elif what == SCRAPED:
            scraped = max(row.value, scraped or row.value)
        else:
            sums[what] += row.value
    if len(rises) > _MOST:
        rises, flaw = {}, f"{len(rises)} series, of which at most {_MOST} are read"
    return Counted(rises, native, sums[RESETS], sums[BASELINES], scraped, sums[CHANGED] != sums[UNCHANGED], flaw)


def _flaw_of_buckets(histogram: NativeHistogram) -> str:
    bounded = all(isfinite(count) and count >= 0 for _, _, count in histogram.buckets)
    return "" if bounded and isfinite(histogram.count) else "a native histogram with impossible buckets"


def by_part(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of an answer by the part that they belong to."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(row.labels.get(OF, ""), []).append(row)
    return parts

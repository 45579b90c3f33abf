"""Events for `kubectl describe`: what is new becomes one, what happens again is counted on it, and nothing storms.

As events.k8s.io has it: an Event is created once, and of what repeats itself within minutes its `series` tells how
often and when last. What differs from the one before in its note alone may come a few times, then it is counted as
well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from serinus.api import ConditionStatus
from serinus.controller.cache import Object
from serinus.rollout import Record

_NOTE = 1024  # characters that an Event's note may have
_SERIES = timedelta(minutes=6)  # without a repetition, until what happens again is new again
_FEW = 5  # Events of one kind for one object within a series, however their notes differ
_TELL_EVERY = timedelta(minutes=1)  # how often the count of a series is written

_WORTH_TELLING = {"Stalled": True, "TrafficAligned": False, "MetricsAvailable": False, "Undecided": True}
"""Conditions that become an Event when they take this value: decisions are told by their records."""


@dataclass(frozen=True, slots=True)
class News:
    """What an Event tells of a CanaryDeployment."""

    owner: Object
    reason: str
    note: str
    action: str
    warning: bool
    time: datetime

    @classmethod
    def of_record(cls, owner: Object, record: Record) -> "News":
        """A decision."""
        warning = record.verdict == "rollback"
        return cls(owner, record.reason, record.message[:_NOTE], record.verdict, warning, record.time)


def news_of_conditions(
    owner: Object, before: Sequence[ConditionStatus], after: Sequence[ConditionStatus], now: datetime
) -> Iterator[News]:
    """What has gone wrong since: conditions that have become so, or are so for another reason."""
    known = {(each.type, each.status, each.reason) for each in before}
    for each in after:
        is_wrong = _WORTH_TELLING.get(each.type) is (each.status == "True")
        if is_wrong and (each.type, each.status, each.reason) not in known:
            yield News(owner, each.reason, each.message[:_NOTE], each.type, warning=True, time=now)


@dataclass
class Series:
    """One kind of Event of one object: the newest, and how often it has happened since."""

    last: datetime
    created: int = 0
    note: str = ""
    name: str = ""
    count: int = 0
    told_at: datetime | None = None

    def is_new(self, note: str) -> bool:
        """Whether this becomes an Event of its own."""
        return not self.name or (note != self.note and self.created < _FEW)

    def is_told(self, now: datetime) -> bool:
        """Whether the count that is in the cluster is new enough."""
        return self.told_at is not None and now - self.told_at < _TELL_EVERY


@dataclass
class Diary:
    """What has lately been told, by object, reason and action."""

    _series: dict[tuple[str, str, str], Series] = field(default_factory=dict)

    def series(self, news: News) -> Series:
        """The series that the news belongs to; a new one where the last is over."""
        for key in [key for key, each in self._series.items() if news.time - each.last > _SERIES]:
            del self._series[key]
        key = (news.owner["metadata"]["uid"], news.reason, news.action)
        series = self._series.setdefault(key, Series(news.time))
        series.last = max(series.last, news.time)
        return series

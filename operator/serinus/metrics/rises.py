"""PromQL that gives exact increments: how far counters rose between both ends of a tick, in one instant query.

rate() and increase() extrapolate to the ends of their range; here the last value at or before each end counts, whatever
stale markers say. So what one tick misses the next one has, and all ticks together have counted every request once.
A counter without a value at the start rose from 0 if its target was up then, or its process started since; otherwise
nobody knows since when it counts: its value is a baseline, and the tick `partial`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.metrics.promql import Matcher, Selector

OF, WHAT = "serinus_of", "serinus_what"
"""Labels that tell the parts of an answer apart: whose numbers, and which; absent from the rises of an unnamed part."""

RISE, RESETS, BASELINES, SCRAPED, CHANGED = "", "resets", "baselines", "scraped", "changed"

_LOOK_BACK = 300.0  # seconds within which a series' last value counts at the start of a tick
_TARGET = "on (job, instance)"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question: counters, and the labels (`by`) that their rises are summed by.

    `owner`: those of the labels that say whose they are; doubts are counted by them. `of` names the part in the answer,
    where a question has several. `native`: the series are native histograms. `doubted`: doubts are asked for, too.
    """

    series: Selector
    owner: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    of: str = ""
    native: bool = False
    doubted: bool = True

    def promql(self, seconds: float) -> str:
        """The rises within the `seconds` before the time of evaluation, what is doubtful, and the newest scrape."""
        if not self.doubted:
            return self._tagged(self._sum(seconds))
        ends = _Ends(self._witness(), seconds)
        owner = ", ".join(self.owner)
        parts = {
            RISE: self._sum(seconds),
            RESETS: f"count by ({owner}) ({ends.resets()})",
            BASELINES: f"count by ({owner}) (({ends.end} unless {ends.start}) unless {_TARGET} {ends.known()})",
            SCRAPED: f"max by ({owner}) (timestamp({ends.series}))",
        }
        return self._joined(parts)

    def plain(self, seconds: float, phase: float) -> str:
        """The same for a fraction of the server's work, where no series began, ended or was reset.

        Sums at both ends are subtracted, not series by series, and each series is read once for both of them: a
        subquery has a step at either end. Steps are multiples of the tick's length; where the tick ends `phase` seconds
        after one, each step looks as far ahead. The answer is wrong where `changed` says so: series and resets are not
        as many at both ends as twice those that both ends can have. Native histograms are left to the exact question.
        """
        owner, witness = ", ".join(self.owner), _Ends(self._witness(), seconds)
        if self.native:
            return self._joined({CHANGED: f"count by ({owner}) ({witness.series})"})
        step, witness_of_step = _Ends(self.series, seconds, phase), _Ends(self._witness(), seconds, phase)
        by = ", ".join((*self.owner, *self.by))
        both_ends = f"[{_milliseconds(1.5 * seconds)}:{_milliseconds(seconds)}]{_offset(phase)}"
        seen = f"sum_over_time((sum by ({owner}) (1 + {witness_of_step.resets_at_end})){both_ends})"
        kept = _label(f"-2 * sum by ({owner}) (1 + {witness.resets_at_start})", WHAT, "kept")
        parts = {
            RISE: f"idelta((sum by ({by}) ({step.end})){both_ends})",
            # A sum of what either side has, not a difference, which is nothing where one side has nothing.
            CHANGED: f"sum by ({owner}) ({seen} or {kept}) != 0",
        }
        if self.doubted:
            parts[SCRAPED] = f"max by ({owner}) (timestamp({witness.series}))"
        return self._joined(parts)

    def _joined(self, parts: Mapping[str, str]) -> str:
        told = (query if what == RISE else _label(query, WHAT, what) for what, query in parts.items())
        return self._tagged("\nor ".join(told))

    def _tagged(self, query: str) -> str:
        return _label(f"({query})", OF, self.of) if self.of else query

    def _sum(self, seconds: float) -> str:
        return f"sum by ({', '.join((*self.owner, *self.by))}) ({self._rises(seconds)})"

    def _rises(self, seconds: float) -> str:
        ends = _Ends(self.series, seconds)
        known = _Ends(self._witness(), seconds).known()
        if self.native:
            kept = f"({ends.start} and (histogram_count({ends.start}) <= histogram_count({ends.end})))"
            return f"({ends.end} - {kept}) or (({ends.end} unless {kept}) and {_TARGET} {known})"
        # What a counter that fell shows has been counted since its reset: for those, too, the start is 0.
        return f"{ends.end} - (({ends.start} <= {ends.end}) or 0 * ({ends.end} and {_TARGET} {known}))"

    def _witness(self) -> Selector:
        """One series where a histogram has many: they come, go and are reset together."""
        return self.series.where(Matcher.one_of("le", ["+Inf"])) if "le" in self.by else self.series


@dataclass(frozen=True, slots=True)
class Level:
    """A part of a question that is no counter: an expression whose values count as they are."""

    expression: str
    of: str

    def promql(self, _seconds: float) -> str:
        """The values at the time of evaluation, whatever the tick's length."""
        return _label(f"({self.expression})", OF, self.of)

    def plain(self, seconds: float, _phase: float) -> str:
        """The same: there is no simpler way."""
        return self.promql(seconds)


class _Ends:
    """The series' values at both ends of a tick that ends `ahead` seconds after the time of evaluation, as PromQL."""

    def __init__(self, selector: Selector, seconds: float, ahead: float = 0.0) -> None:
        self._seconds = seconds
        self._offset = f"offset {_milliseconds(seconds - ahead)}"
        self.series = selector.promql()
        # At the end one looks back as far as at the start: every series that is known there is known here.
        self.end = f"last_over_time({self.series}[{_milliseconds(seconds + _LOOK_BACK)}]{_offset(-ahead)})"
        self.start = f"last_over_time({self.series}[{_milliseconds(_LOOK_BACK)}] {self._offset})"

    @property
    def resets_at_end(self) -> str:
        """How often each series was reset, as far as one looks back, ..."""
        return self.end.replace("last_over_time", "resets", 1)

    @property
    def resets_at_start(self) -> str:
        """... and how often it had been at the start: both look back to the same time."""
        return self.start.replace("last_over_time", "resets", 1)

    def resets(self) -> str:
        """The series that were reset within the tick."""
        return f"({self.resets_at_end} > 0) > ({self.resets_at_start} or 0 * {self.resets_at_end})"

    def known(self) -> str:
        """The targets whose new series have counted from 0 since the last scrape before the tick.

        Not those that were up and lost series meanwhile: after a relabelling, old counters come back as new series. But
        where the process started since that scrape, be it shortly before the tick, all that it shows is new.
        """
        vanished = f"({self.series} {self._offset} unless {self.series})"
        started = f"process_start_time_seconds > time() - {self._seconds:g}"
        # Of each target one, or the comparison would be refused.
        start = "(process_start_time_seconds or (timestamp(envoy_server_uptime) - envoy_server_uptime))"
        restarted = f"max by (job, instance) {start} > {_TARGET} max by (job, instance) (timestamp(up {self._offset}))"
        return (
            f"(((up {self._offset} == 1) unless {_TARGET} {vanished}) "
            f"or ({started}) or (envoy_server_uptime < {self._seconds:g}) or ({restarted}))"
        )


def _label(query: str, name: str, value: str) -> str:
    return f'label_replace({query}, "{name}", "{value}", "", "")'


def _offset(seconds: float) -> str:
    return f" offset {_milliseconds(seconds)}" if seconds else ""


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"

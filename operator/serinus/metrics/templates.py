"""PromQL for Istio's request counters: one instant query gives both arms at both ends of a tick."""

from dataclasses import dataclass

REQUESTS = "istio_requests_total"

AT = "serinus_at"
"""Label that tells the parts of the answer apart."""

AT_END, AT_START, SCRAPED, WAS_UP = "end", "start", "scraped", "up"

LOOK_BACK = "5m"
"""How far back the last value of a series is taken from; a range selector does not see stale markers."""

_UP_LOOK_BACK = "1m"
_SPECIAL = frozenset(r"\.+*?()|[]{}^$")  # what RE2 does not take literally


@dataclass(frozen=True, slots=True)
class Selector:
    """The series of one arm or of both: label values, or a choice of them, that must match exactly."""

    labels: tuple[tuple[str, tuple[str, ...]], ...]

    def promql(self) -> str:
        """The matchers between braces; a value can contain anything and still cannot leave its quotes."""
        return ",".join(f"{label}=~{_quoted(values)}" for label, values in self.labels)


def requests_query(selector: Selector, seconds: float) -> str:
    """The last values of the selected request counters now and `seconds` ago.

    Evaluated at a tick's end, with its length. Parts, told apart by the label `serinus_at`: `end` and `start`, the
    counters; `scraped`, when each target that has such a counter was last scraped; `up`, whether it was up at the start
    (a counter that did not exist then has counted from 0 only if it was).
    """
    series = f"{REQUESTS}{{{selector.promql()}}}"
    offset = f"offset {seconds * 1000:.0f}ms"
    targets = f"and on (job, instance) last_over_time({series}[{LOOK_BACK}])"
    parts = {
        AT_END: f"last_over_time({series}[{LOOK_BACK}])",
        AT_START: f"last_over_time({series}[{LOOK_BACK}] {offset})",
        SCRAPED: f"max by (job, instance) (timestamp(up) {targets})",
        WAS_UP: f"max by (job, instance) (last_over_time(up[{_UP_LOOK_BACK}] {offset}) {targets})",
    }
    return "\nor ".join(f'label_replace({query}, "{AT}", "{part}", "", "")' for part, query in parts.items())


def history_query(selector: Selector, seconds: float) -> str:
    """How far the selected counters rose within the last `seconds`, by response class; a prior, not evidence."""
    series = f"{REQUESTS}{{{selector.promql()}}}[{seconds:.0f}s]"
    return f"sum by (response_code) (max_over_time({series}) - min_over_time({series}))"


def _quoted(values: tuple[str, ...]) -> str:
    alternatives = "|".join(_literal(value) for value in values)
    return '"' + alternatives.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _literal(value: str) -> str:
    """`value` as a regular expression (RE2) that matches only itself."""
    return "".join("\\" + character if character in _SPECIAL else character for character in value)

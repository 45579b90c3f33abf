"""A row of the comparison as a line of text: both arms, the difference with its interval, and what is tolerated."""

from serinus.api import RowStatus

_PERCENT = 100


def row_line(row: RowStatus) -> str:
    """For example `error-rate: 6.10 % against 1.02 %, +5.08 pp (99 % CI +2.1 to +8.3), tolerance +2 pp: worse`."""
    if row.missing is not None and row.difference is None:
        return f"{row.metric}: no data ({row.missing})"
    if row.canary.estimate is None or row.stable.estimate is None or row.difference is None:
        return f"{row.metric}: {row.verdict}"
    unit, scale, digits = _UNITS.get(row.kind, ("", 1.0, 3))
    arms = f"{_number(row.canary.estimate * scale, digits)}{_arm_unit(row.kind)}"
    stable = f"{_number(row.stable.estimate * scale, digits)}{_arm_unit(row.kind)}"
    interval = f"{_PERCENT * row.confidence:g} % CI {_end(row.low, scale, '−∞')} to {_end(row.high, scale, '∞')}"
    difference = f"{_signed(row.difference * scale)}{unit}"
    return f"{row.metric}: {arms} against {stable}, {difference} ({interval}), tolerance {row.tolerance}: {row.verdict}"


# The unit of a difference, by what shares and milliseconds are multiplied, and digits after the point.
_UNITS = {
    "proportion": (" pp", 100.0, 2),
    "distribution": (" pp", 100.0, 2),
    "latency": (" ms", 1.0, 1),
}


def _arm_unit(kind: str) -> str:
    return {"proportion": " %", "distribution": " %", "latency": " ms"}.get(kind, "")


def _end(value: float | None, scale: float, unbounded: str) -> str:
    return unbounded if value is None else _signed(value * scale)


def _signed(value: float) -> str:
    return ("−" if value < 0 else "+") + f"{abs(value):.3g}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"

"""The comparison as a table: both arms, the difference, and how far from either verdict (R21)."""

from collections.abc import Sequence

from serinus.api import RowStatus
from serinus.cli.look import PLAIN, Look, Paint
from serinus.cli.table import Cell, Column, table, wrapped
from serinus.judge import words
from serinus.judge.kinds.memory import Unit

_UNITS: dict[str, Unit] = {
    "proportion": "share",
    "latency": "milliseconds",
    "distribution": "distance",
    "rate": "rate",
    "gauge": "value",
}
_PAINTS = {"worse": Paint.BAD, "better": Paint.GOOD, "within tolerance": Paint.GOOD, "no data": Paint.WAIT}
_BAR = 4  # characters
_INDENT = "  "


def comparison(rows: Sequence[RowStatus], look: Look) -> list[str]:
    """A line for each metric; two where the terminal is too narrow for one."""
    columns, cells = full_table(rows, look)
    if look.width is None or max(map(len, table(columns, cells, PLAIN))) <= look.width:
        return table(columns, cells, look)
    kept = [index for index, column in enumerate(columns) if column.title in _NARROW]
    lines = table([columns[i] for i in kept], [[row[i] for i in kept] for row in cells], look)
    narrow = [lines[0]]
    for row, line in zip(rows, lines[1:], strict=True):
        narrow += [line, *wrapped(_INDENT + _detail(row), look, _INDENT)]
    return narrow


_NARROW = ("METRIC", "CANARY", "STABLE", "DIFFERENCE", "VERDICT")


def full_table(rows: Sequence[RowStatus], look: Look) -> tuple[list[Column], list[list[Cell]]]:
    """Headings and cells with everything in them."""
    confidences = {row.confidence for row in rows}
    interval = f"{_percent(confidences.pop())} CI" if len(confidences) == 1 else "CI"
    titles = ("METRIC", "CANARY", "STABLE", "DIFFERENCE", interval, "TOLERANCE", "ROLLBACK", "PROMOTE", "VERDICT")
    return [Column(title) for title in titles], [_cells(row, look) for row in rows]


def counterfactual(row: RowStatus) -> str:
    """What a rollback and a promotion would have needed of the row, in a sentence; empty where that cannot be said."""
    unit = _UNITS[row.kind]
    needed = [
        f"{words.size(by, unit)} {direction} would have {what}"
        for by, direction, what in (
            (row.worse_by, "worse", "been rolled back"),
            (row.better_by, "better", "been within its margin"),
        )
        if by
    ]
    return "; ".join(needed)


def _cells(row: RowStatus, look: Look) -> list[Cell]:
    unit = _UNITS[row.kind]
    return [
        Cell(row.metric),
        Cell(_estimate(row.canary.estimate, unit)),
        Cell(_estimate(row.stable.estimate, unit)),
        Cell(_difference(row)),
        Cell(_interval(row)),
        Cell(row.tolerance),
        Cell(_bar(row.rollback, look) if row.gating else "-", Paint.BAD if row.rollback >= 1 else None),
        Cell(_bar(row.promote, look) if row.gating else "-", Paint.GOOD if row.promote >= 1 else None),
        Cell(_verdict(row), _PAINTS.get(row.verdict)),
    ]


def _detail(row: RowStatus) -> str:
    told = [] if row.low is None and row.high is None else [f"{_percent(row.confidence)} CI {_interval(row)}"]
    told += [f"tolerance {row.tolerance}"]
    told += [f"rollback {_percent(row.rollback)}", f"promote {_percent(row.promote)}"] if row.gating else []
    return ", ".join(told)


def _verdict(row: RowStatus) -> str:
    told = f"{row.verdict} ({row.missing})" if row.missing else row.verdict
    return told if row.gating else f"{told}, reported only"


def _estimate(value: float | None, unit: Unit) -> str:
    return "-" if value is None else words.estimate(value, unit)


def _difference(row: RowStatus) -> str:
    if row.difference is None:
        return "-"
    told = words.difference(row.difference, _UNITS[row.kind])
    return told if row.relative is None else f"{told}  {words.signed(100 * row.relative)} %"


def _interval(row: RowStatus) -> str:
    unit = _UNITS[row.kind]
    if row.low is None and row.high is None:
        return "-"
    low = words.end(row.low, unit, infinite="−∞")
    return f"{low} … {'∞' if row.high is None else words.difference(row.high, unit)}"


def _bar(share: float, look: Look) -> str:
    """How far on the way: 1 is there."""
    if not look.signs:
        return _percent(share)
    return f"▕{('█' * round(_BAR * share)).ljust(_BAR)}▏ {_percent(share)}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 3):g} %"

"""Columns of text: as wide as what is in them, never cut silently, and without lines around them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from serinus.cli.look import PLAIN, Look, Paint

_GAP = "  "


@dataclass(frozen=True)
class Cell:
    """A text with its colour."""

    text: str
    paint: Paint | None = None


@dataclass(frozen=True)
class Column:
    """A column's heading, and on which side its texts stand."""

    title: str
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], look: Look) -> list[str]:
    """Headings and rows as lines. In the last column, on a terminal, what does not fit is cut and ends in …."""
    shown = [[Cell(column.title, Paint.HEAD) for column in columns], *rows]
    widths = [max(len(row[index].text) for row in shown) for index in range(len(columns))]
    return [_line(columns, row, widths, look) for row in shown]


def fitted(titles: Sequence[str], rows: Sequence[Sequence[str]], look: Look) -> list[str]:
    """A table where it fits; else each row as its first text, and below it the others with their headings."""
    lines = table([Column(title) for title in titles], [[Cell(text) for text in row] for row in rows], PLAIN)
    if look.width is None or max(map(len, lines)) <= look.width:
        return lines
    stacked: list[str] = []
    for first, *others in rows:
        told = ", ".join(f"{title.lower()} {text}" for title, text in zip(titles[1:], others, strict=True) if text)
        stacked += [first, *wrapped(f"{_GAP}{told}", look, _GAP)]
    return stacked


def wrapped(text: str, look: Look, indent: str = "") -> list[str]:
    """A sentence as lines of the terminal's width; one line in a pipe."""
    if look.width is None:
        return [text]
    lines = textwrap.wrap(text, max(20, look.width), subsequent_indent=indent, break_on_hyphens=False)
    return lines or [""]


def _line(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int], look: Look) -> str:
    parts, room = [], look.width
    for number, (column, cell, width) in enumerate(zip(columns, row, widths, strict=True), start=1):
        last = number == len(columns)
        text = cell.text
        if last and room is not None:
            text = text if len(text) <= room else f"{text[: max(8, room) - 1]}…"
        padding = "" if last and not column.right else " " * (width - len(text))
        painted = look.paint(text, cell.paint)
        parts.append(f"{padding}{painted}" if column.right else f"{painted}{padding}")
        room = None if room is None else room - width - len(_GAP)
    return _GAP.join(parts).rstrip()

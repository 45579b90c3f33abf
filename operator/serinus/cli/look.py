"""How a command's output is to look: the width of the terminal, its colours, its characters."""

import os
import shutil
import sys
from dataclasses import dataclass
from enum import Enum


class Paint(Enum):
    """What a colour means."""

    GOOD = "32"
    BAD = "31"
    WAIT = "33"
    FAINT = "2"
    HEAD = "1"


@dataclass(frozen=True)
class Look:
    """What the reader's end can show."""

    width: int | None
    """Columns of the terminal. None in a pipe: nothing is cut or wrapped there."""
    colour: bool
    signs: bool
    """Whether characters beyond letters and punctuation can be shown: ✓, ●, ▕██▏."""

    def paint(self, text: str, paint: Paint | None) -> str:
        """The text in its colour, if it has one."""
        return f"\x1b[{paint.value}m{text}\x1b[0m" if self.colour and paint and text else text


PLAIN = Look(width=None, colour=False, signs=False)
"""For files and pipes."""


def look_of_output(no_color: bool) -> Look:
    """As standard output is: a terminal's colours are left out with --no-color, NO_COLOR or TERM=dumb."""
    if not sys.stdout.isatty():
        return PLAIN
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Look(width=shutil.get_terminal_size().columns, colour=not plain, signs=utf8)

"""The files that people give a command to read, and the one error for all that can be wrong with them."""

import sys
from pathlib import Path

from serinus.cli.errors import CommandError

_STANDARD_INPUT = Path("-")


class InputError(CommandError):
    """A file cannot be used. The message names the file, the place in it, and what is wrong."""


def name_of(path: Path) -> str:
    """What messages call the file."""
    return "standard input" if path == _STANDARD_INPUT else str(path)


def read_text(path: Path) -> str:
    """The file's text, or that of standard input for `-`. Raises InputError if it cannot be read or is not UTF-8."""
    try:
        data = sys.stdin.buffer.read() if path == _STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        raise InputError(f"{name_of(path)}: {error.strerror}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name_of(path)} line {line}: is not UTF-8") from error

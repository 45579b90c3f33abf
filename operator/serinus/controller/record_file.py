"""Where the lines of records go besides the store: standard output, and a file that never grows beyond its bound."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

logger = logging.getLogger(__name__)

Sink = Callable[[str], None]
"""Takes one line, without its end."""


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of records. When it has reached `size` bytes it becomes PATH.1, that PATH.2, and so on up to `kept`."""

    path: Path
    size: int
    kept: int


def to_standard_output(line: str) -> None:
    """Print it now: whoever collects the output must not wait for a buffer."""
    print(line, flush=True)


def to_file(file: RecordFile) -> Sink:
    """A sink into a rotated file. Raises OSError where the file cannot be opened; later it only tells in the log."""
    handler = _Handler(file.path, maxBytes=file.size, backupCount=file.kept, encoding="utf-8")

    def write(line: str) -> None:
        handler.handle(logging.makeLogRecord({"msg": "%s", "args": (line,)}))

    return write


def to_all(sinks: Sequence[Sink]) -> Sink:
    """A sink into several."""

    def write(line: str) -> None:
        for sink in sinks:
            sink(line)

    return write


class _Handler(RotatingFileHandler):
    """A full disk costs the lines that do not fit, and no decision."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say so in the log."""
        logger.exception("a record was not written to %s; it is on standard output", self.baseFilename)

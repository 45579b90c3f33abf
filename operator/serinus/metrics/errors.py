"""The errors of this room's outside: a query without a usable answer."""

from serinus.judge.evidence import Missing


class SourceError(Exception):
    """A query without a usable answer. `missing` says which kind; the message says what came instead, no secret."""

    def __init__(self, missing: Missing, message: str) -> None:
        super().__init__(message)
        self.missing = missing


class TooMuch(SourceError):
    """The server refuses the query, or its answer is too large: asked for less, it may answer."""

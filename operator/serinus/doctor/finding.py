"""What a check says: how bad it is, what was seen, why it matters, what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "fine"]
"""error: the rollout cannot begin, or would be decided wrongly; warning: it can, but not as one may expect."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of one check; `why` and `do` are empty where all is fine."""

    level: Level
    check: str
    what: str
    why: str = ""
    do: str = ""


def error(check: str, what: str, *, why: str, do: str) -> Finding:
    """Something that must be mended first."""
    return Finding("error", check, what, why, do)


def warning(check: str, what: str, *, why: str, do: str) -> Finding:
    """Something that one should know first."""
    return Finding("warning", check, what, why, do)


def fine(check: str, what: str) -> Finding:
    """Something that is as it should be."""
    return Finding("fine", check, what)

"""From counter values at both ends of a slot to exact increments."""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.judge.evidence import Missing

Labels = tuple[tuple[str, str], ...]
"""A series' labels, sorted."""

Target = tuple[str, str]
"""A scraped target: job and instance."""


@dataclass(frozen=True, slots=True)
class Increment:
    """How far one series rose in the slot, and what is doubtful about it."""

    labels: Labels
    value: float
    doubt: Missing | None = None


def increments(
    start: Mapping[Labels, float], end: Mapping[Labels, float], was_up: Mapping[Target, bool]
) -> list[Increment]:
    """The increment of each series that is known at the slot's end.

    A counter that fell was reset: what it shows has been counted since, what came before the reset is lost (RESET). A
    counter without a value at the start rose from 0 if its target was up then; otherwise nobody knows since when it
    counts, and its value is only a baseline (PARTIAL, increment 0).
    """
    result = []
    for labels, value in end.items():
        before = start.get(labels)
        if before is not None:
            fell = value < before
            result.append(Increment(labels, value if fell else value - before, Missing.RESET if fell else None))
        elif was_up.get(target_of(labels), False):
            result.append(Increment(labels, value))
        else:
            result.append(Increment(labels, 0.0, Missing.PARTIAL))
    return result


def target_of(labels: Labels) -> Target:
    """The target that a series was scraped from."""
    found = dict(labels)
    return found.get("job", ""), found.get("instance", "")

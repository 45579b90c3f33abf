"""What is wrong with a resource, said to the person who wrote it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from serinus.api.rules import BROKEN_RULES

Location = tuple[int | str, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """A field that cannot be as it is, and why: `spec.ladder[2].weight: each weight must be ...`."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


# Said without the value that was given: it may hold a credential, and these lines go into status and logs (I10).
_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field; look at kubectl explain for those that are",
}
# Pydantic's own sentences: "Input should be ...", "Tuple should have at least 1 item after validation, not 0".
_PYDANTICS = re.compile(r"^\w+ should (?P<what>.*?)( after validation, not \d+)?$")


def explain(error: ValidationError) -> tuple[Problem, ...]:
    """The problems of a manifest that a model refused, in the manifest's own words, in its order."""
    details = error.errors()
    places = [detail["loc"] for detail in details]
    # A list whose only element is bad is not too short as well, as pydantic says that it is.
    heard = (each for each in details if each["type"] != "too_short" or not _contains_any(each["loc"], places))
    return tuple(problem for detail in heard for problem in _problems(detail["loc"], detail))


def _contains_any(location: Location, places: list[Location]) -> bool:
    return any(place[: len(location)] == location and place != location for place in places)


def _problems(location: Location, detail: ErrorDetails) -> Iterator[Problem]:
    if detail["type"] == BROKEN_RULES:
        for place, message in detail["ctx"]["broken"]:
            yield Problem(_path(location, place), message)
    else:
        message = _PYDANTICS.sub(r"must \g<what>", detail["msg"])
        yield Problem(_path(location), _WORDS.get(detail["type"], message))


def _path(location: Location, place: str = "") -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    beyond = place if not place or place.startswith("[") else f".{place}"
    return ("".join(parts) + beyond).removeprefix(".")

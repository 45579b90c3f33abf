"""JSON patch (RFC 6902) operations."""

from typing import Any, Literal, NotRequired, TypedDict


class Operation(TypedDict):
    """One operation of a JSON patch."""

    op: Literal["test", "add", "replace", "remove"]
    path: str
    value: NotRequired[Any]


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901): pointer("a/b", 0) is /a~1b/0."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def expect(path: str, value: Any) -> Operation:
    """Refuse the whole patch unless `path` has this value."""
    return {"op": "test", "path": path, "value": value}

"""Changes of a spec, generated from the CRD's schema: each field as the schema allows it at its edges, or gone."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
Path_ = tuple[str | int, ...]

_CRD = Path(__file__).parents[2] / "crds" / "serinus.io_canarydeployments.yaml"
_DURATIONS = ("0s", "1s", "7s", "9999h")
_TEXTS = ("", "x", "v9", "app", "X-1", "/", "5xx", "a/b", "{{", "sum(", "http://127.0.0.1:9", "ü" * 40)
_FEW = 3
"""Texts that are tried of those which a pattern allows."""
_ABSENT = object()


@dataclass(frozen=True)
class Change:
    """A field of the spec gets a value, or goes."""

    path: Path_
    value: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} = {'(absent)' if self.value is _ABSENT else repr(self.value)[:60]}"

    def applied_to(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The spec with this change; objects and lists on the way to the field are made where they are missing."""
        changed = copy.deepcopy(spec)
        inner: Any = changed
        for step, following in zip(self.path, self.path[1:], strict=False):
            if isinstance(step, int):
                if step >= len(inner):
                    inner.append([] if isinstance(following, int) else {})
                inner = inner[step]
            else:
                inner = inner.setdefault(step, [] if isinstance(following, int) else {})
        last = self.path[-1]
        if self.value is not _ABSENT:
            inner[last] = copy.deepcopy(self.value)
        elif not isinstance(last, int):
            inner.pop(last, None)
        return changed


def spec_schema() -> Schema:
    """What the CRD says of a CanaryDeployment's spec."""
    version = yaml.safe_load(_CRD.read_text())["spec"]["versions"][0]
    return dict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])


def changes(schema: Schema, spec: Any, at: Path_ = ()) -> Iterator[Change]:
    """All changes of one field below `at`, where the spec has `spec` (None: nothing)."""
    for name, field in schema.get("properties", {}).items():
        path, there = (*at, name), (spec or {}).get(name)
        if there is not None:
            yield Change(path, _ABSENT)
        whole = there if there is not None else example(field)
        if there is None and at:
            yield Change(at, {**(spec or {}), name: whole})
        for value in values(field):
            if value != there:
                yield Change(path, value)
        if "properties" in field:
            yield from changes(field, whole, path)
        elif "properties" in field.get("items", {}):
            first = whole[0] if whole else example(field["items"])
            yield from _of_items(field["items"], whole, first, path)


def _of_items(schema: Schema, whole: list[Any], first: Any, path: Path_) -> Iterator[Change]:
    """Changes of a list's first item, each as a change of the whole list: a list is replaced and not merged."""
    for change in changes(schema, first):
        yield Change(path, [change.applied_to(first), *whole[1:]])


def values(schema: Schema) -> list[Any]:
    """What a field of this schema may be, at its edges."""
    if "enum" in schema:
        return list(schema["enum"])
    match schema["type"]:
        case "boolean":
            return [True, False]
        case "integer" | "number":
            return _numbers(schema)
        case "string":
            return _texts(schema)
        case "array":
            return [[example(schema["items"])]]
        case _:
            return [example(schema)]


def example(schema: Schema) -> Any:
    """The least that the schema allows."""
    match schema["type"]:
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return {"version": "v9"}
        case "object":
            return {name: example(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [example(schema["items"])]
        case _:
            return values(schema)[-1]


def _numbers(schema: Schema) -> list[Any]:
    step = 1 if schema["type"] == "integer" else 0.001
    low, high = schema.get("minimum", 0), schema.get("maximum", 1)
    low += step if schema.get("exclusiveMinimum") else 0
    high -= step if schema.get("exclusiveMaximum") else 0
    return [low, high, low + (high - low) / 2 if schema["type"] == "number" else (low + high) // 2]


def _texts(schema: Schema) -> list[str]:
    if schema.get("format") == "duration":
        return list(_DURATIONS)
    pattern, longest, shortest = schema.get("pattern", ""), schema.get("maxLength", 1000), schema.get("minLength", 0)
    fitting = [text for text in _TEXTS if re.search(pattern, text) and shortest <= len(text) <= longest]
    return fitting[:_FEW]

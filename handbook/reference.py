"""docs/reference.md: every field of every resource, generated from the CustomResourceDefinitions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from serinus.api.crds import manifests

Schema = dict[str, Any]

_HEAD = """\
# Reference

<!-- Generated from operator/serinus/api by `make docs`: edit the models, not this page. -->

Every field of every resource of the group `serinus.io`, version `v1alpha1`. `kubectl explain canarydeployment.spec`
says the same in a terminal. The API server refuses what breaks a rule, with the rule's words and the field; a field
that it does not know it drops, or refuses where the client is strict, as `kubectl apply` is.

A duration is written as `15s`, `15m`, `1h30m` or `50ms`. What a status says is written by the operator alone.
"""

_FORMATS = {"duration": "duration", "date-time": "time"}
_TYPES = {
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
    "object": "object",
    "string": "text",
}


@dataclass(frozen=True)
class _Field:
    """A field with all that is below it: `path` as in a manifest, `[]` for the elements of a list."""

    path: str
    schema: Schema
    required: bool


def reference() -> str:
    """The page's text."""
    definitions = [yaml.safe_load(text) for name, text in manifests().items() if not name.startswith("kustomization")]
    kinds = {_identity(_root(each)["properties"]["spec"]): each["spec"]["names"]["kind"] for each in definitions}
    return "\n".join((_HEAD, *(line for each in definitions for line in _resource(each, kinds))))


def _root(definition: Schema) -> Schema:
    """The schema of a definition's only version."""
    (version,) = definition["spec"]["versions"]
    root: Schema = version["schema"]["openAPIV3Schema"]
    return root


def _identity(schema: Schema) -> str:
    """What tells one object's schema from another's: the names of its fields."""
    return " ".join(schema.get("properties", {}))


def _resource(definition: Schema, kinds: dict[str, str]) -> Iterator[str]:
    names, root = definition["spec"]["names"], _root(definition)
    yield f"## {names['kind']}\n"
    yield f"{root['description']} `kubectl get {names['plural']}`, or `{names['shortNames'][0]}` for short.\n"
    for part in ("spec", "status"):
        if part not in root["properties"]:
            continue
        top = _Field(part, root["properties"][part], required=part == "spec")
        fields = list(_below(top, kinds))
        yield f"### {part.capitalize()} of a {names['kind']}\n"
        yield "| field | value | meaning |\n|---|---|---|"
        yield from (_row(each, kinds) for each in fields)
        yield ""
        if rules := [rule for each in (top, *fields) for rule in _rules(each, kinds)]:
            yield "Rules:\n"
            yield from (f"- {rule}" for rule in rules)
            yield ""


def _elsewhere(field: _Field, kinds: dict[str, str]) -> str | None:
    """The resource whose spec the field holds, where that is told: a CanaryDeployment may have a policy of its own."""
    return None if field.path == "spec" else kinds.get(_identity(field.schema))


def _below(parent: _Field, kinds: dict[str, str]) -> Iterator[_Field]:
    """All fields below one, depth first, in the order of the models."""
    if _elsewhere(parent, kinds):
        return
    required = parent.schema.get("required", ())
    for name, schema in parent.schema.get("properties", {}).items():
        field = _Field(f"{parent.path}.{name}", schema, name in required)
        yield field
        yield from _below(field, kinds)
    items = parent.schema.get("items", {})
    if "properties" in items:
        yield from _below(_Field(f"{parent.path}[]", items, required=True), kinds)


def _row(field: _Field, kinds: dict[str, str]) -> str:
    kind = _elsewhere(field, kinds)
    value = f"as the spec of a [{kind}](#spec-of-a-{kind.lower()})" if kind else _value(field.schema)
    facts = [value, "required" if field.required and field.path.startswith("spec") else "", _default(field.schema)]
    meaning = " ".join(field.schema.get("description", "").split())
    return f"| `{field.path}` | {'; '.join(filter(None, facts))} | {_cell(meaning)} |"


def _value(schema: Schema) -> str:
    """What may stand there, in words."""
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "enum" in schema:
        *others, last = (f"`{word}`" for word in schema["enum"])
        return f"{', '.join(others)} or {last}" if others else last
    if schema["type"] == "array":
        return f"list of {_TYPES[schema['items']['type']]}s{_between(schema, 'minItems', 'maxItems')}"
    if "additionalProperties" in schema:
        return "map of names to texts"
    return f"{_TYPES[schema['type']]}{_between(schema, 'minimum', 'maximum')}"


def _between(schema: Schema, lowest: str, highest: str) -> str:
    low, high = schema.get(lowest), schema.get(highest)
    words = []
    if low is not None:
        words.append(f"{'above' if schema.get('exclusiveMinimum') else 'from'} {low}")
    if high is not None:
        words.append(f"{'below' if schema.get('exclusiveMaximum') else 'to'} {high}")
    return f", {' '.join(words)}" if words else ""


def _default(schema: Schema) -> str:
    default = schema.get("default")
    if default is None or isinstance(default, dict):
        return ""  # an object's default is that of its fields, which are told one by one
    if isinstance(default, list):
        written = yaml.safe_dump(default, default_flow_style=True, width=1000, sort_keys=False).strip()
        return f"default `{_cell(written)}`"
    return f"default `{str(default).lower() if isinstance(default, bool) else default}`"


def _rules(field: _Field, kinds: dict[str, str]) -> Iterator[str]:
    """What is demanded of a field beyond its type, one sentence each; of a list's elements at the list."""
    if _elsewhere(field, kinds):
        return
    for path, schema in ((field.path, field.schema), (f"{field.path}[]", field.schema.get("items", {}))):
        for rule in schema.get("x-kubernetes-validations", ()):
            yield f"`{path}{rule.get('fieldPath', '')}`: {rule['message']}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

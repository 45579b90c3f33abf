"""The CRDs are those of the models, and structural."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from serinus.api.crds import manifests

CRDS = Path(__file__).parents[2] / "crds"
FILES = manifests()
DEFINITIONS = [yaml.safe_load(text) for name, text in FILES.items() if name != "kustomization.yaml"]
OPENAPI = {
    "additionalProperties", "default", "description", "enum", "exclusiveMaximum", "exclusiveMinimum", "format", "items",
    "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "pattern",
    "properties", "required", "type", "x-kubernetes-list-map-keys", "x-kubernetes-list-type",
    "x-kubernetes-map-type", "x-kubernetes-validations",
}  # fmt: skip


def parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all that it contains, with their paths."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from parts(field, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from parts(schema[word], f"{path}[]")


ALL = {
    f"{definition['spec']['names']['kind']}{path}": schema
    for definition in DEFINITIONS
    for path, schema in parts(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
}
SPECS = {path: schema for path, schema in ALL.items() if ".spec" in path}
STATUSES = {path: schema for path, schema in ALL.items() if ".status" in path}


def test_the_files_in_crds_are_what_the_models_say() -> None:
    stored = {file.name: file.read_text() for file in CRDS.iterdir()}
    assert stored == FILES, "crds/ is stale: run `make crds`"


def test_a_schema_has_only_words_that_a_structural_schema_may_have() -> None:
    assert {path: set(schema) - OPENAPI for path, schema in ALL.items() if set(schema) - OPENAPI} == {}


def test_everything_in_a_spec_is_bounded_so_that_rules_are_cheap() -> None:
    def is_bounded(schema: dict[str, Any]) -> bool:
        match schema["type"]:
            case "array":
                return "maxItems" in schema
            case "string":
                return "maxLength" in schema or "enum" in schema
            case "object":
                return "properties" in schema or "maxProperties" in schema
        return True

    assert [path for path, schema in SPECS.items() if not is_bounded(schema)] == []


def test_kubectl_explain_has_something_to_say_of_every_field() -> None:
    fields = {**SPECS, **STATUSES}.items()
    assert [path for path, schema in fields if not path.endswith("[]") and not schema.get("description")] == []


def test_a_status_is_never_filled_in_for_the_operator() -> None:
    assert STATUSES
    assert [path for path, schema in STATUSES.items() if "default" in schema] == []


def test_a_status_is_one_value_whose_fields_the_api_server_keeps_no_account_of() -> None:
    whole = {path: schema for path, schema in STATUSES.items() if path.endswith(".status") and path.count(".") == 1}
    assert whole.keys() == {"CanaryDeployment.status", "CanaryOverride.status"}
    assert {schema.get("x-kubernetes-map-type") for schema in whole.values()} == {"atomic"}


def test_every_list_says_how_it_is_merged() -> None:
    lists = {path: schema for path, schema in SPECS.items() if schema["type"] == "array"}
    assert lists
    assert [path for path, schema in lists.items() if "x-kubernetes-list-type" not in schema] == []

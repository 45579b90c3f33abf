"""The CustomResourceDefinitions, generated from the models: their only source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from serinus.api.canarydeployment import CanaryDeployment, CanaryDeploymentSpec
from serinus.api.override import CanaryOverride, CanaryOverrideSpec, OverrideStatus
from serinus.api.policy import CanaryPolicy, CanaryPolicySpec
from serinus.api.quantity import format_duration
from serinus.api.record import CanaryRecord, CanaryRecordSpec
from serinus.api.status import CanaryDeploymentStatus

Schema = dict[str, Any]

GROUP = "serinus.io"
VERSION = "v1alpha1"
_HEADER = "# Generated from operator/serinus/api by `make crds`: edit the models, not this file.\n"
_WIDTH = 110


def manifests() -> dict[str, str]:
    """The files of crds/: name and YAML text of each; all but kustomization.yaml are objects to apply."""
    crds = {f"{GROUP}_{resource.plural}.yaml": _definition(resource) for resource in _RESOURCES}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(crds),
    }
    files = {**crds, "kustomization.yaml": kustomization}
    return {name: _HEADER + _yaml(content) for name, content in files.items()}


class _Dumper(yaml.SafeDumper):
    """YAML for people: no anchors, however often a part occurs."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(content: Schema) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)


@dataclass(frozen=True)
class _Column:
    """A column of `kubectl get`; a wide one is shown with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""

    def manifest(self) -> dict[str, Any]:
        entry = {"name": self.name, "type": self.type, "jsonPath": self.path, "priority": int(self.wide)}
        return {**entry, "description": self.description} if self.description else entry


@dataclass(frozen=True)
class _Resource:
    """What the models do not say of a kind."""

    kind: str
    plural: str
    short_name: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel] | None
    columns: tuple[_Column, ...]


_AGE = _Column("Age", ".metadata.creationTimestamp", "date")
_RESOURCES = (
    _Resource(
        kind="CanaryDeployment",
        plural="canarydeployments",
        short_name="cdep",
        description=CanaryDeployment.__doc__ or "",
        spec=CanaryDeploymentSpec,
        status=CanaryDeploymentStatus,
        columns=(
            _Column("Phase", ".status.phase"),
            _Column("Step", ".status.printed.step"),
            _Column("Weight", ".status.weight", "integer", description="Percent meant for the canary."),
            _Column("Verdict", ".status.verdict.verdict"),
            # A string: kubectl prints <invalid> for dates in the future.
            _Column("Next", ".status.printed.next", description="When the step can end at the earliest, UTC."),
            _AGE,
            _Column("Reason", ".status.verdict.message", wide=True),
            _Column("Stable", ".status.printed.stable", wide=True),
            _Column("Canary", ".status.printed.canary", wide=True),
            _Column("Share", ".status.printed.share", wide=True, description="Percent that the canary got."),
        ),
    ),
    _Resource(
        kind="CanaryPolicy",
        plural="canarypolicies",
        short_name="cpol",
        description=CanaryPolicy.__doc__ or "",
        spec=CanaryPolicySpec,
        status=None,
        columns=(
            _Column("False-Rollback", ".spec.falseRollback", "number"),
            _Column("False-Promotion", ".spec.falsePromotion", "number"),
            _Column("Metrics", ".spec.metrics[*].name"),
            _AGE,
        ),
    ),
    _Resource(
        kind="CanaryOverride",
        plural="canaryoverrides",
        short_name="cov",
        description=CanaryOverride.__doc__ or "",
        spec=CanaryOverrideSpec,
        status=OverrideStatus,
        columns=(
            _Column("Target", ".spec.target"),
            _Column("Action", ".spec.action"),
            _Column("By", ".spec.requestedBy"),
            _Column("Outcome", ".status.outcome"),
            _AGE,
            _Column("Rollout", ".spec.rollout", wide=True),
            _Column("Reason", ".spec.reason", wide=True),
            _Column("Message", ".status.message", wide=True),
        ),
    ),
    _Resource(
        kind="CanaryRecord",
        plural="canaryrecords",
        short_name="crec",
        description=CanaryRecord.__doc__ or "",
        spec=CanaryRecordSpec,
        status=None,
        columns=(_AGE,),
    ),
)


def _definition(resource: _Resource) -> dict[str, Any]:
    """The CustomResourceDefinition of a resource."""
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(resource)},
        "additionalPrinterColumns": [column.manifest() for column in resource.columns],
    }
    if resource.status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [resource.short_name],
                "categories": ["serinus"],
            },
            "versions": [version],
        },
    }


def _root(resource: _Resource) -> Schema:
    properties: Schema = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": structural(resource.spec),
    }
    if resource.status:
        # The operator writes a status whole, and nobody else does: the API server need not keep account of each field.
        properties["status"] = {**_without_defaults(structural(resource.status)), "x-kubernetes-map-type": "atomic"}
    return {
        "description": resource.description,
        "type": "object",
        "properties": properties,
        "required": ["spec"],
    }


class _Generator(GenerateJsonSchema):
    """Writes defaults as manifests do: durations as text, absent fields not at all."""

    def encode_default(self, dft: Any) -> Any:
        """The JSON of a default."""
        return format_duration(dft) if isinstance(dft, timedelta) else _present(super().encode_default(dft))


def _present(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _present(field) for name, field in value.items() if field is not None}
    return [_present(element) for element in value] if isinstance(value, list) else value


def structural(model: type[BaseModel]) -> Schema:
    """The model's schema as Kubernetes wants it: no references, unions, titles or JSON Schema 2020 words."""
    schema = model.model_json_schema(schema_generator=_Generator)
    return _convert(schema, schema.get("$defs", {}))


def _convert(given: Schema, definitions: dict[str, Schema]) -> Schema:
    schema = dict(_inlined(given, definitions))
    if "properties" in schema:
        # Unknown fields are pruned, or refused by strict clients; a structural schema may not forbid them.
        schema.pop("additionalProperties", None)
        schema["properties"] = {name: _convert(field, definitions) for name, field in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = _convert(schema["additionalProperties"], definitions)
    if "items" in schema:
        schema["items"] = _convert(schema["items"], definitions)
    return dict(_words(schema))


def _inlined(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """The schema with its reference or its optional variant in place; what stands beside them wins."""
    beside = {word: value for word, value in schema.items() if word not in ("$ref", "anyOf", "$defs")}
    if "$ref" in schema:
        return {**_inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions), **beside}
    if "anyOf" in schema:
        (variant,) = (each for each in schema["anyOf"] if each != {"type": "null"})
        return {**_inlined(variant, definitions), **beside}
    return beside


def _words(schema: Schema) -> Iterator[tuple[str, Any]]:
    """The words of a schema in the dialect of OpenAPI 3.0."""
    for word, value in schema.items():
        match word:
            case "title":
                pass
            case "const":
                yield "enum", [value]
            case "exclusiveMinimum" | "exclusiveMaximum":
                yield word.removeprefix("exclusive").lower(), value
                yield word, True
            case "default" if value in (None, "", []):
                pass  # absence says the same, and nobody finds an empty field in his object
            case _:
                yield word, value


def _without_defaults(schema: Schema) -> Schema:
    """The schema of a status: what the operator did not write is absent, never filled in for it."""
    kept = {word: value for word, value in schema.items() if word != "default"}
    if "properties" in kept:
        kept["properties"] = {name: _without_defaults(field) for name, field in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _without_defaults(kept["items"])
    return kept

"""Objects as JSON lines or YAML documents, for other programs."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import typer


class Output(StrEnum):
    """How a command prints what it found."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def print_documents(documents: Iterable[Mapping[str, Any]], output: Output) -> None:
    """One JSON object a line, or YAML documents."""
    if output is Output.JSON:
        for document in documents:
            typer.echo(json.dumps(document, ensure_ascii=False))
        return
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    options: dict[str, Any] = {"explicit_start": True, "allow_unicode": True, "sort_keys": False, "width": 120}
    typer.echo(yaml.dump_all(documents, Dumper=dumper, **options), nl=False)


def without_managed_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the API server's bookkeeping, as kubectl prints it."""
    kept = {name: value for name, value in found["metadata"].items() if name != "managedFields"}
    return {**found, "metadata": kept}

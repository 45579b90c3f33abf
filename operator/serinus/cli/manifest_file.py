"""Manifests in files, read without a cluster."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from serinus.api import CanaryDeployment, explain, problems
from serinus.cli.inputs import InputError
from serinus.cli.yaml_text import parse_yaml

_Kind = TypeVar("_Kind", bound=BaseModel)


def validated(model: type[_Kind], manifest: Any, source: str) -> _Kind:
    """The manifest as a model. Raises InputError, which names the fields that cannot be as they are."""
    try:
        return model.model_validate(manifest)
    except ValidationError as error:
        raise InputError(f"{source}: {'; '.join(str(problem) for problem in explain(error))}") from error


def parse_canary(text: str, source: str) -> Mapping[str, Any]:
    """The CanaryDeployment in `text`, read from the file `source`, as the file has it.

    Raises InputError, which names line and column of what is not YAML, else the field that cannot be as it is.
    """
    manifest = parse_yaml(text, source)
    if not isinstance(manifest, dict):
        raise InputError(f"{source}: is not a CanaryDeployment manifest")
    if found := problems(validated(CanaryDeployment, {**manifest, "status": {}}, source).spec):
        raise InputError(f"{source}: {'; '.join(map(str, found))}")
    return manifest

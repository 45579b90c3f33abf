"""A CanaryDeployment manifest in a file, read without a cluster."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from serinus.api import CanaryDeployment, explain, problems
from serinus.cli.inputs import InputError
from serinus.cli.yaml_text import parse_yaml


def parse_canary(text: str, source: str) -> Mapping[str, Any]:
    """The CanaryDeployment in `text`, read from the file `source`, as the file has it.

    Raises InputError, which names line and column of what is not YAML, else the field that cannot be as it is.
    """
    manifest = parse_yaml(text, source)
    if not isinstance(manifest, dict):
        raise InputError(f"{source}: is not a CanaryDeployment manifest")
    try:
        found = problems(CanaryDeployment.model_validate({**manifest, "status": {}}).spec)
    except ValidationError as error:
        found = explain(error)
    if found:
        raise InputError(f"{source}: {'; '.join(map(str, found))}")
    return manifest

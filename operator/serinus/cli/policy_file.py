"""A CanaryPolicy manifest in a file, read without a cluster."""

from serinus.api import CanaryPolicy, CanaryPolicySpec
from serinus.cli.inputs import InputError
from serinus.cli.manifest_file import validated
from serinus.cli.yaml_text import parse_yaml


def parse_policy(text: str, source: str) -> CanaryPolicySpec:
    """The policy in `text`, read from the file `source`.

    Raises InputError, which names line and column of what is not YAML, else the field, where it is not a CanaryPolicy.
    """
    manifest = parse_yaml(text, source)
    if not isinstance(manifest, dict):
        raise InputError(f"{source}: is not a CanaryPolicy manifest")
    return validated(CanaryPolicy, manifest, source).spec

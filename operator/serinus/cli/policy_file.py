"""A CanaryPolicy manifest in a file, read without a cluster."""

from collections.abc import Hashable
from typing import Any

import yaml
from pydantic import ValidationError

from serinus.api import CanaryPolicy, CanaryPolicySpec, explain
from serinus.cli.inputs import InputError


def parse_policy(text: str, source: str) -> CanaryPolicySpec:
    """The policy in `text`, read from the file `source`.

    Raises InputError, which names line and column of what is not YAML, else the field, where it is not a CanaryPolicy.
    """
    manifest = parse_yaml(text, source)
    if not isinstance(manifest, dict):
        raise InputError(f"{source}: is not a CanaryPolicy manifest")
    try:
        return CanaryPolicy.model_validate(manifest).spec
    except ValidationError as error:
        raise InputError(f"{source}: {'; '.join(str(problem) for problem in explain(error))}") from error


def parse_yaml(text: str, source: str) -> Any:
    """The one YAML document in `text`. Raises InputError with line and column of what is none."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"{source}{place}: not a YAML document: {words}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise InputError(f"{source} line {line}, column {column}: not a YAML document: {error.reason}") from error
    except RecursionError as error:
        raise InputError(f"{source}: not a YAML document: it is nested too deeply") from error
    except (ValueError, LookupError, AttributeError) as error:
        # PyYAML's own, of a value that is not what it looks like or is tagged as: 2026-13-01, !!bool maybe.
        raise InputError(f"{source}: not a YAML document: a value is not of its type: {error}") from error


class _Loader(yaml.SafeLoader):
    """Refuses a field that is given twice, as kubectl does; PyYAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

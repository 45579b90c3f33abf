"""YAML as people write it: what is wrong with it is told by line and column."""

from collections.abc import Callable, Hashable
from typing import Any

import yaml

from serinus.cli.inputs import InputError


def parse_yaml(text: str, source: str) -> Any:
    """The one document in `text`, read from the file `source`. Raises InputError, with the place of what is wrong."""
    return _told_of(text, source, lambda: yaml.load(text, _Loader))


def parse_documents(text: str, source: str) -> list[Any]:
    """All documents in `text` that are not empty. Raises InputError as `parse_yaml` does."""
    found: list[Any] = _told_of(text, source, lambda: list(yaml.load_all(text, _Loader)))
    return [each for each in found if each is not None]


def _told_of(text: str, source: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
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

"""The kubeconfig: one of KUBECONFIG's files or several together, or ~/.kube/config, read as kubectl reads it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from serinus.cli.cluster.errors import ClusterError

_SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}


@dataclass(frozen=True)
class Entry:
    """A context, cluster or user: its fields as the file has them, and where relative paths begin."""

    fields: Mapping[str, Any]
    directory: Path

    def text(self, field: str) -> str | None:
        """A field that is text; None where it is absent or empty."""
        value = self.fields.get(field)
        return str(value) if value else None

    def path(self, field: str) -> Path | None:
        """A field that names a file."""
        value = self.text(field)
        return None if value is None else self.directory / Path(value).expanduser()


@dataclass(frozen=True)
class Kubeconfig:
    """All files together. What two of them name is taken from the first."""

    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]
    current: str | None
    """The name of the context that is used when none is given."""


def read_kubeconfig() -> Kubeconfig | None:
    """The kubeconfig of whoever runs this; None where there is none. Raises ClusterError for one that is unreadable."""
    documents = list(_documents())
    if not documents:
        return None
    merged: dict[str, dict[str, Entry]] = {
        section: {
            str(named.get("name")): Entry(named.get(key) or {}, path.parent)
            for path, document in reversed(documents)
            for named in document.get(section) or []
        }
        for section, key in _SECTIONS.items()
    }
    current = next((str(found) for _, document in documents if (found := document.get("current-context"))), None)
    return Kubeconfig(**merged, current=current)


def context_names() -> list[str]:
    """The contexts there are, sorted. Raises ClusterError for a kubeconfig that cannot be read."""
    kubeconfig = read_kubeconfig()
    return sorted(kubeconfig.contexts) if kubeconfig else []


def _documents() -> Iterator[tuple[Path, Mapping[str, Any]]]:
    listed = os.environ.get("KUBECONFIG")
    paths = [Path(part) for part in listed.split(os.pathsep) if part] if listed else [Path.home() / ".kube" / "config"]
    for path in paths:
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise ClusterError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
        yield path, _parsed(path, text)


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    """What the file holds. An error says where, and not what: there are credentials in it (I10)."""
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ClusterError(f"{path}{place}: not a YAML document") from error
    sections = [document.get(section) or [] for section in _SECTIONS] if isinstance(document, dict) else [None]
    if not all(isinstance(section, list) and all(isinstance(named, dict) for named in section) for section in sections):
        raise ClusterError(f"{path}: not a kubeconfig: contexts, clusters and users must be lists of objects")
    return dict(document)

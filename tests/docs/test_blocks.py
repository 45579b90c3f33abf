"""What the pages show is true: manifests are taken, commands do what they are shown to do, or the page says why not."""

from collections import Counter
from typing import Any

import pytest
import yaml

from lab.stack.workload import REPOSITORY
from serinus.api import CanaryDeploymentSpec, CanaryPolicySpec
from tests.cli.objects import manifest
from tests.docs.blocks import Block, blocks
from tests.docs.conftest import Reader

PAGES = ["README.md", "examples/README.md", *sorted(f"docs/{each.name}" for each in (REPOSITORY / "docs").glob("*.md"))]
BLOCKS = {page: list(blocks(REPOSITORY, page)) for page in PAGES}
ALL = [block for page in PAGES for block in BLOCKS[page]]

Manifest = dict[str, Any]

_FIELDS = {
    "CanaryDeployment": {each.alias for each in CanaryDeploymentSpec.model_fields.values()},
    "CanaryPolicy": {each.alias for each in CanaryPolicySpec.model_fields.values()},
}
_BASE: dict[str, Manifest] = {
    "CanaryDeployment": manifest()["spec"],
    "CanaryPolicy": {"metrics": [{"name": "errors", "template": "istio-errors", "tolerance": {"absolute": 0.02}}]},
}


def whole(part: Any) -> Manifest | None:
    """The manifest that a document is, or is a part of: some fields of a spec; None where it is neither."""
    if not isinstance(part, dict):
        return None
    if "apiVersion" in part:
        return part
    kind = next((kind for kind, fields in _FIELDS.items() if part.keys() <= fields), None)
    if kind is None:
        return None
    head = {"apiVersion": "serinus.io/v1alpha1", "kind": kind, "metadata": {"name": "shown"}}
    return {**head, "spec": merged(_BASE[kind], part)}


def merged(base: Manifest, part: Manifest) -> Manifest:
    both = {name: merged(base[name], part[name]) for name in base.keys() & part.keys() if isinstance(part[name], dict)}
    return {**base, **part, **both}


def way(block: Block) -> str:
    """How a block is run; an empty text where it is neither run nor marked."""
    if "not run" in block.marks:
        return "not run"
    if "file" in block.marks:
        return "file"
    if block.language == "console":
        return "commands" if block.commands else ""
    if block.language == "yaml":
        return "manifests" if all(map(whole, yaml.safe_load_all(block.text))) else ""
    return {"python": "python", "text": "shown"}.get(block.language, "")


def run(block: Block, reader: Reader) -> str:
    """Run a block; what was wrong, empty where nothing was."""
    if "file" in block.marks:
        (reader.home / block.marks["file"]).write_text(block.text)
    match way(block):
        case "commands":
            code = int(block.marks.get("exits with", "0").partition(":")[0])
            told = [(command, reader.run(command, block.marks.get("as", "admin"))) for command in block.commands]
            return "\n".join(f"{command}: {done.code}\n{done.both}" for command, done in told if done.code != code)
        case "manifests" | "file" if block.language == "yaml":
            answers = [reader.create(found) for each in yaml.safe_load_all(block.text) if (found := whole(each))]
            return "".join(done.err for done in answers if done.code)
        case "python":
            done = reader.run("python -", stdin=block.text)
            return done.err if done.code else ""
    return ""


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.title)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    assert way(block), "give it a language and content that can be run, or put <!-- not run: WHY --> before it"


def test_most_blocks_are_run(record_property: Any) -> None:
    ways = Counter(map(way, ALL))
    print(dict(ways))  # noqa: T201
    record_property("blocks", dict(ways))
    assert ways["not run"] < ways["commands"] + ways["manifests"]


@pytest.mark.api_server
@pytest.mark.parametrize("page", [page for page in PAGES if BLOCKS[page]])
def test_a_pages_commands_and_manifests_do_what_it_says(page: str, reader: Reader) -> None:
    reader.begin_page()
    wrong = {block.title: told for block in BLOCKS[page] if (told := run(block, reader))}
    assert wrong == {}


@pytest.mark.api_server
def test_what_is_wrong_is_found(reader: Reader) -> None:
    """Else the test above would say nothing."""
    shown = [
        Block("page", 1, "console", "$ serinus status nobody -n ml\n", {}),
        Block("page", 2, "yaml", "ladder:\n- {weight: 101, window: 15m}\n", {}),
        Block("page", 3, "python", "import serinus.nothing\n", {}),
    ]
    assert all(run(block, reader) for block in shown)

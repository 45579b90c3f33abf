"""The runbook has every reason that the code can give, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from lab.stack.workload import REPOSITORY

HOUSE = REPOSITORY / "operator" / "serinus"
CAMEL_CASE = re.compile(r"([A-Z][a-z]+)+")

CONDITIONS = {
    "Ready",
    "Reconciling",
    "Stalled",
    "Promoted",
    "MetricsAvailable",
    "TrafficAligned",
    "PolicyChanged",
    "Warned",
}
OF_KUBERNETES = {
    "Deployment",
    "StatefulSet",
    "WorkloadEntry",
    "Lease",
    "Event",
    "Normal",
    "Warning",
    "Healthy",
    "Ignore",
}
OTHERS = {"BearerToken", "CanaryDeployment", "CanaryRecord", "Applied", "Refused", "Host", "Unknown", "True", "False"}


def words(node: ast.AST) -> Iterator[str]:
    """Every word in CamelCase below a node that is neither a type nor the name of an event of the state machine."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and CAMEL_CASE.fullmatch(node.value):
        yield node.value
    if isinstance(node, ast.ClassDef) and node.name == "Event":
        return
    if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
        return
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    yield from words(each)


def reasons() -> set[str]:
    """A new word in CamelCase counts as a reason until it is named above: none can be forgotten."""
    files = [file for room in ("judge", "rollout", "controller") for file in (HOUSE / room).rglob("*.py")]
    found = {word for file in files for word in words(ast.parse(file.read_text()))}
    return found - CONDITIONS - OF_KUBERNETES - OTHERS


def headings(page: Path) -> list[str]:
    return re.findall(r"^### (\w+)$", page.read_text(), flags=re.MULTILINE)


def test_the_runbook_has_every_reason_once_and_no_other() -> None:
    found = headings(REPOSITORY / "docs" / "runbook.md")
    assert len(found) == len(set(found))
    forgotten, past = reasons() - set(found), set(found) - reasons()
    assert not forgotten, "each needs an entry in docs/runbook.md, or a place above if it is no reason"
    assert not past, "no code gives these any more"


def test_within_a_section_reasons_are_easily_found() -> None:
    for section in (REPOSITORY / "docs" / "runbook.md").read_text().split("\n## ")[1:]:
        found = re.findall(r"^### (\w+)$", section, flags=re.MULTILINE)
        assert found == sorted(found)


def test_a_reason_in_the_code_is_seen_wherever_it_stands() -> None:
    code = """
def f(a: "Tick") -> "Live":
    raise Obstacle("RouteTaken", f"{a} is taken")
REASON = "Override"
__all__ = ["Verdict"]
"""
    assert set(words(ast.parse(code))) == {"RouteTaken", "Override"}

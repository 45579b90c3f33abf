"""The house rules that a machine can check: style, types, import contracts, generated files."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CHECKS = {
    "ruff finds nothing": ["ruff", "check", "."],
    "the code is formatted": ["ruff", "format", "--check", "."],
    "mypy finds nothing": ["mypy"],
    "rooms import only what they may": ["importlinter.cli", "lint"],
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_house_rule(command: list[str]) -> None:
    module, *arguments = command
    if module == "importlinter.cli":
        run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]
    else:
        run = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_judge_is_light_to_import() -> None:
    """It is a library too: no cluster, no web, no scipy.stats on that path."""
    heavy = "('kubernetes', 'requests', 'pydantic', 'scipy.stats', 'typer', 'rich', 'aiohttp')"
    code = f"import sys, serinus.judge; sys.exit(', '.join(m for m in {heavy} if m in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"import serinus.judge imports {done.stderr}"

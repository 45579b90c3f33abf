"""`serinus` itself: every command is listed and found, and none waits for what only another one needs."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from serinus.cli.main import COMMANDS, app


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_how_the_help_of_a_command_begins(name: str) -> None:
    """The list is written by hand, for it must not import the commands."""
    summary = COMMANDS[name][1]
    listed = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"]).output
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, [name, "--help"])
    assert told.exit_code == 0, told.output
    assert [name, *summary.split()] in [line.split() for line in listed.splitlines()]
    assert told.output.splitlines()[2].strip().startswith(summary)


def test_an_unknown_command_is_one_line_with_the_nearest_one_and_exit_code_2() -> None:
    told = CliRunner().invoke(app, ["histry"])
    assert told.exit_code == 2
    assert "No such command 'histry'. Did you mean 'history'" in told.output


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from serinus.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'rich', 'pydantic', 'numpy', 'sqlalchemy', 'kubernetes', 'serinus.api'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"serinus --help imports {done.stderr}"

"""Commands that are imported when they run: no command waits for what only another one needs.

Here too they get what all have in common: whatever ends one, also while it is imported, is one line with an exit code.
"""

import pkgutil
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from serinus.cli.told import in_one_line


def program(**settings: Any) -> typer.Typer:
    """A Typer whose help and errors are plain lines, in a pipe as on a screen, and start without rich."""
    return typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, **settings)


def defer(app: typer.Typer, name: str, place: str, summary: str) -> None:
    """Give `app` the command `name`: the function at `place` (`module:function`), which is imported when it is called.

    `summary` is what the list of commands says of it: how the function's docstring begins.
    """

    class Deferred(TyperCommand):
        @in_one_line
        def make_context(self, *arguments: Any, **extra: Any) -> Any:
            """The function's own command takes over here, with its own options and its own help."""
            alone = program(add_completion=False)
            alone.command(name)(in_one_line(pkgutil.resolve_name(place)))
            return get_command(alone).make_context(*arguments, **extra)

    app.command(name, cls=Deferred, short_help=summary)(lambda: None)

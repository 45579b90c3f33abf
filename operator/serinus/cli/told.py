"""How commands end: what is wrong is one line on standard error, with the exit code that says of which kind it is.

0: done; 1: the answer is no; 2: wrong usage or input, or a cluster that cannot be asked; 130: interrupted.
"""

import functools
import io
import os
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer

from serinus.cli.errors import CommandError

NO, UNUSABLE = 1, 2
_INTERRUPTED = 130
_P = ParamSpec("_P")
_R = TypeVar("_R")


def in_one_line(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """The command, whose errors become a line and an exit code."""

    @functools.wraps(command)
    def told(*arguments: _P.args, **options: _P.kwargs) -> _R:
        # A character that the output's encoding lacks must not end the command.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            return command(*arguments, **options)
        except CommandError as error:
            typer.echo(f"Error: {printable(str(error))}", err=True)
            raise typer.Exit(UNUSABLE) from error
        except KeyboardInterrupt as error:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(_INTERRUPTED) from error
        except BrokenPipeError as error:
            # Whoever read our output has seen enough (`| head`); Python must not complain of it when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from error

    return told


def tell_who_waits(what: str) -> None:
    """What is done now, only to somebody who waits at a terminal."""
    if sys.stderr.isatty():
        typer.echo(what, err=True)


def printable(text: str) -> str:
    """The text in a line, without what could steer a terminal: it may come from an object that anybody wrote."""
    return "".join(char if char.isprintable() else " " if char.isspace() else ascii(char)[1:-1] for char in text)

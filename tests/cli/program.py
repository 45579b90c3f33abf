"""The program as people start it: as a process of its own, in a pipe or on a terminal, with a kubeconfig of theirs."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from lab.stack import Lab
from serinus.cli.main import app
from tests.cli.objects import NOW, Manifest

TIMEOUT = 60.0
"""Seconds that a command may take."""

_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return self.out + self.err


class Cluster:
    """A namespace of the lab's API server, with objects as an operator would have left them, and people who look."""

    def __init__(self, lab: Lab, namespace: str, directory: Path) -> None:
        self.lab, self.namespace, self.directory = lab, namespace, directory

    def create(self, given: Manifest) -> None:
        """The object with its status; its times are as long ago as they are before NOW in the tests' objects."""
        status = given.get("status")
        spec = {name: value for name, value in given.items() if name != "status"}
        kept = {"name": given["metadata"]["name"], "namespace": self.namespace}
        self.lab.apply([{**spec, "metadata": kept}])
        if status is not None:
            self.write_status(kept["name"], status)

    def write_status(self, name: str, status: Manifest, kind: str = "canarydeployment") -> None:
        patch = json.dumps({"status": _moved(status, datetime.now(UTC))})
        self.lab.kubectl("patch", kind, name, self._where, "--subresource=status", "--type=merge", f"--patch={patch}")

    def get(self, kind: str, name: str) -> Manifest:
        found: Manifest = json.loads(self.lab.kubectl("get", kind, name, self._where, "--output=json"))
        return found

    def kubeconfig(self, user: str | None = None, **user_fields: Any) -> Path:
        """The administrator's, who acts as `user`; or with other credentials."""
        config = yaml.safe_load(self.lab.kubeconfig.read_text())
        fields = config["users"][0]["user"]
        config["users"][0]["user"] = user_fields or (fields | ({"as": user} if user else {}))
        config["contexts"][0]["context"]["namespace"] = self.namespace
        path = self.directory / f"{len(list(self.directory.iterdir()))}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))
        return path

    def environment(self, user: str | None = None, **more: str) -> dict[str, str]:
        return {**_plain_environment(), "KUBECONFIG": str(self.kubeconfig(user)), **more}

    def run(self, *arguments: str, user: str | None = None, **environment: str) -> Done:
        """In this process, as in a pipe: a new one takes longer to start than most commands to run."""
        given = {"KUBECONFIG": str(self.kubeconfig(user)), "NO_COLOR": None, "COLUMNS": None} | environment
        result = CliRunner(env=given).invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str, user: str | None = None, **environment: str) -> subprocess.Popen[str]:
        """As a process of its own, in a pipe, not waited for."""
        return subprocess.Popen(
            command(*arguments),
            env=self.environment(user, **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def show(self, *arguments: str, columns: int = 80, **environment: str) -> str:
        """On a terminal of that width: all that it was sent."""
        return on_terminal(arguments, self.environment(None, **environment), columns)

    @property
    def _where(self) -> str:
        return f"--namespace={self.namespace}"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "serinus.cli.main", *arguments]


def on_terminal(arguments: tuple[str, ...], environment: dict[str, str], columns: int) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments), env={**environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux' way to say that nobody is at the other end any more
        while piece := os.read(ours, 65536):
            shown += piece
    process.wait(TIMEOUT)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def without_clock(text: str) -> str:
    """The text with all times of the day the same."""
    return re.sub(r"\d\d:\d\d UTC", "HH:MM UTC", text)


def _moved(value: Any, now: datetime) -> Any:
    """The value with every moment in it as far from `now` as it was from NOW."""
    match value:
        case dict():
            return {name: _moved(each, now) for name, each in value.items()}
        case list():
            return [_moved(each, now) for each in value]
        case str() if _MOMENT.match(value):
            return (datetime.fromisoformat(value) - NOW + now).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def _plain_environment() -> dict[str, str]:
    """Ours, without what would change how things look."""
    return {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}

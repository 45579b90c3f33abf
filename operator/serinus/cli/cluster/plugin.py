"""Credentials from a kubeconfig's exec plugin, as kubectl asks for them (client.authentication.k8s.io)."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from serinus.cli.cluster.errors import ClusterError
from serinus.cli.cluster.identity import Identity
from serinus.cli.cluster.kubeconfig import Entry

_TIMEOUT = 120  # seconds: somebody may have to sign in with a browser
_EXTENSION = "client.authentication.k8s.io/exec"


def ask_plugin(plugin: Mapping[str, Any], directory: Path, cluster: Entry) -> Identity:
    """The identity that the plugin answers with. Raises ClusterError with its install hint where it is not there."""
    command = str(plugin.get("command", ""))
    # As kubectl does: a path is relative to the kubeconfig, a mere name is looked up in PATH.
    program = str(directory / command) if os.sep in command else command
    # Not where nobody is at the keyboard; and what comes in by a pipe is not for the plugin.
    interactive = plugin.get("interactiveMode", "IfAvailable") != "Never" and sys.stdin.isatty()
    try:
        answer = subprocess.run(
            [program, *map(str, plugin.get("args") or [])],
            env={**os.environ, **_environment(plugin, cluster, interactive=interactive)},
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        hint = " ".join(str(plugin.get("installHint") or "install it, or put it into PATH").split())
        raise ClusterError(f"the kubeconfig's credential plugin {command!r} is not there: {hint}") from error
    except (OSError, ValueError) as error:
        raise ClusterError(f"the kubeconfig's credential plugin {command!r} cannot be run") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"the kubeconfig's credential plugin {command!r} gave no answer in {_TIMEOUT} s") from error
    if answer.returncode != 0:
        raise ClusterError(f"the kubeconfig's credential plugin {command!r} failed with exit code {answer.returncode}")
    return _identity(answer.stdout, command)


def _environment(plugin: Mapping[str, Any], cluster: Entry, *, interactive: bool) -> dict[str, str]:
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(cluster.fields)
    asked = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    own = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or []}
    return {**own, "KUBERNETES_EXEC_INFO": json.dumps(asked)}


def _cluster_info(cluster: Mapping[str, Any]) -> dict[str, Any]:
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
    config = next((e.get("extension") for e in cluster.get("extensions") or [] if e.get("name") == _EXTENSION), None)
    return {name: cluster[name] for name in names if name in cluster} | ({"config": config} if config else {})


def _identity(printed: str, command: str) -> Identity:
    """What the plugin printed, of which no error repeats anything: it is a secret (I10)."""
    try:
        status = json.loads(printed)["status"]
        identity = Identity(token=status.get("token"))
        return identity.certified(status.get("clientCertificateData"), status.get("clientKeyData"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"the kubeconfig's credential plugin {command!r} printed no ExecCredential") from error

"""kubectl, tied to one API server and one identity."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.stack.templates import render
from lab.waiting import wait_until

TIMEOUT = 60.0
"""Seconds that one call may take."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl as the identity in `kubeconfig`."""

    program: Path
    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return what it prints; raises LabError with what it complains of."""
        command: list[str | Path] = [self.program, *arguments]
        # Neither preferences nor caches of the person who runs the lab: ~/.kube is not the lab's.
        environment = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": f"{self.kubeconfig}.cache", "KUBERC": "off"}
        answer = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env={**os.environ, **environment},
        )
        if answer.returncode != 0:
            raise LabError(f"kubectl {' '.join(arguments)}: {answer.stderr.strip()}")
        return answer.stdout

    def await_crds(self) -> None:
        """Return when every CRD is established. `kubectl wait` fails on one that has no conditions at all yet."""
        shown = (
            '{{range .items}}{{range .status.conditions}}{{if eq .type "Established"}}{{.status}}{{end}}{{end}}'
            '{{"\\n"}}{{end}}'
        )
        wait_until(
            lambda: set(self("get", "crd", f"--output=go-template={shown}").splitlines()) == {"True"},
            "all CustomResourceDefinitions to be established",
        )


def write_kubeconfig(path: Path, server: str, ca: Path, user: str, token: str) -> Path:
    """Write a kubeconfig for one user of one API server; only its owner can read it."""
    path.touch(mode=0o600)
    path.write_text(render("kubeconfig.yaml", server=server, ca=ca, user=user, token=token))
    return path

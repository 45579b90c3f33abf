"""Where the documentation's blocks are run: a cluster with the releases that its pages speak of, and their files."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.stack import Lab
from lab.stack.workload import REPOSITORY
from serinus.api import Phase
from tests.cli.objects import ended, manifest, progressing, stalled
from tests.cli.program import Cluster, Done

TIMEOUT = 300.0
"""Seconds after which a command of a page hangs: far more than any takes, however busy the machine is."""

NAMESPACES = ("ml", "demo", "serinus-system")
PEOPLE = ("jo", "kim", "max")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the pages show, in a directory with the files that they speak of."""

    lab: Lab
    home: Path
    kubeconfigs: Mapping[str, Path]

    def run(self, command: str, user: str = "admin", stdin: str | None = None) -> Done:
        """A command in a shell, as typed."""
        environment = {
            **os.environ,
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfigs[user]),
            "KUBECACHEDIR": f"{self.lab.kubeconfig}.cache",
            "KUBERC": "off",
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.home,
            env=environment,
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def create(self, created: Manifest) -> Done:
        """A manifest, by whoever may: an override by the one who signs it. Nothing of it stays."""
        user = created["spec"].get("requestedBy", "admin") if created["kind"] == "CanaryOverride" else "admin"
        verb = "create" if "generateName" in created["metadata"] else "apply"
        return self.run(
            f"kubectl {verb} --dry-run=server --validate=strict --filename=-", user, yaml.safe_dump(created)
        )

    def begin_page(self) -> None:
        """Files and objects as they are before a page is read: whatever others have said is forgotten."""
        for name in ("canary.yaml", "release.yaml"):
            (self.home / name).write_text(yaml.safe_dump(manifest()))
        self.run("kubectl delete rolebinding on-call serinus-secrets --ignore-not-found")


@pytest.fixture(scope="module")
def reader(istio: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("reader")
    for name in ("deploy", "examples", "crds"):
        (home / name).symlink_to(REPOSITORY / name)
    _programs(home / "bin", istio)
    istio.apply(REPOSITORY / "deploy" / "base")
    for namespace in NAMESPACES:
        istio.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])
    istio.apply([_may_override(namespace) for namespace in ("ml", "demo")])
    (home / "kubeconfigs").mkdir()
    cluster = Cluster(istio, "ml", home / "kubeconfigs")
    for release in (progressing(manifest("predictor")), progressing(manifest("checkout")), stalled(manifest("search"))):
        cluster.create(release)
    Cluster(istio, "demo", home / "kubeconfigs").create(ended(manifest("predictor"), Phase.ROLLED_BACK))
    kubeconfigs = {"admin": cluster.kubeconfig(), **{user: cluster.kubeconfig(user) for user in PEOPLE}}
    yield Reader(istio, home, kubeconfigs)
    for namespace in ("ml", "demo"):
        istio.kubectl("delete", "canarydeployments", "--all", f"--namespace={namespace}")


def _programs(where: Path, lab: Lab) -> None:
    """What is on the PATH of somebody who has installed Serinus."""
    where.mkdir()
    serinus = f'exec {sys.executable} -c "from serinus.cli.main import main; main()" "$@"\n'
    canary = "import sys; sys.argv[0] = 'kubectl-canary'; from serinus.cli.main import main; main()"
    texts = {
        "serinus": serinus,
        "kubectl-canary": f'exec {sys.executable} -c "{canary}" "$@"\n',
        "kubectl": f'exec {lab.kubectl.program} "$@"\n',
        "python": f'exec {sys.executable} "$@"\n',
    }
    for name, text in texts.items():
        (where / name).write_text(f"#!/bin/sh\n{text}")
        (where / name).chmod(0o755)


def _may_override(namespace: str) -> Manifest:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "readers", "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "serinus-override"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name} for name in PEOPLE],
    }

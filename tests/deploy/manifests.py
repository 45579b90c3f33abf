"""What deploy/ makes: objects as kustomize and Helm render them."""

import json
import subprocess
import tempfile
from functools import cache
from typing import Any

import yaml

from lab.programs import provide
from lab.programs.parts import HELM, KUBECTL, Part
from lab.progress import Progress
from lab.stack.workload import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
CHART = DEPLOY / "helm" / "serinus"

Object = dict[str, Any]


@cache
def kustomized(directory: str) -> tuple[Object, ...]:
    """The objects of a directory of deploy/."""
    return _objects(ran(KUBECTL, "kustomize", str(DEPLOY / directory)))


def helm(namespace: str, **values: object) -> tuple[Object, ...]:
    """The objects of the chart, installed into a namespace with `values` in place of the chart's own."""
    rendered = _objects(ran(HELM, "template", "serinus", str(CHART), *options(namespace, **values)))
    for each in rendered:
        if not each["kind"].startswith("Cluster"):
            each["metadata"].setdefault("namespace", namespace)  # what Helm does when it installs
    return rendered


def options(namespace: str, **values: object) -> list[str]:
    """Those of `helm` that install into a namespace of the oldest Kubernetes that the chart is for."""
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    return [f"--namespace={namespace}", "--kube-version=1.29.0", *given]


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def pod_of(objects: tuple[Object, ...]) -> Object:
    """The spec of the operator's pods."""
    (deployment,) = of_kind(objects, "Deployment")
    pod: Object = deployment["spec"]["template"]["spec"]
    return pod


def _objects(text: str) -> tuple[Object, ...]:
    return tuple(each for each in yaml.safe_load_all(text) if each)


def ran(part: Part, *arguments: str, ends: int = 0) -> str:
    """What a program prints that asks no cluster; `ends`: the code that it is to end with."""
    program = provide((part,), Progress())[part]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"KUBECONFIG": "/dev/null", "KUBERC": "off", "HOME": home},
        )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout + done.stderr if ends else done.stdout

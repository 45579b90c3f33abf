"""What deploy/ makes: objects as kustomize renders them, and as Helm would."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab.programs import provide
from lab.programs.parts import KUBECTL
from lab.progress import Progress
from lab.stack.workload import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
CHART = DEPLOY / "helm" / "serinus"

Object = dict[str, Any]


@cache
def kustomized(directory: str) -> tuple[Object, ...]:
    """The objects of a directory of deploy/."""
    return _objects(_kubectl("kustomize", str(DEPLOY / directory)))


def helm(namespace: str, **values: object) -> tuple[Object, ...]:
    """The objects of the chart, installed into a namespace with `values` in place of the chart's own.

    There is no helm here: its templates are Go's, which kubectl executes too. So they use what both know, Go's own
    functions, and an object without a namespace is given the release's, as Helm does.
    """
    chart = yaml.safe_load((CHART / "values.yaml").read_text())
    context = {
        "apiVersion": "test/v1",
        "kind": "Context",
        "metadata": {"name": "context"},
        "Values": chart | values,
        "Release": {"Namespace": namespace},
    }
    templates = sorted((CHART / "templates").iterdir())
    rendered = [each for template in templates for each in _executed(template, context)]
    for each in rendered:
        if not each["kind"].startswith("Cluster"):
            each["metadata"].setdefault("namespace", namespace)
    return tuple(rendered)


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def pod_of(objects: tuple[Object, ...]) -> Object:
    """The spec of the operator's pods."""
    (deployment,) = of_kind(objects, "Deployment")
    pod: Object = deployment["spec"]["template"]["spec"]
    return pod


def _executed(template: Path, context: Object) -> tuple[Object, ...]:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(context, file)
        file.flush()
        # Any command that prints an object without a server does.
        local = ("label", "--local", f"--filename={file.name}", "any=label")
        text = _kubectl(*local, f"--output=go-template-file={template}")
    assert "<no value>" not in text, f"{template.name} uses a value that values.yaml does not have"
    return _objects(text)


def _objects(text: str) -> tuple[Object, ...]:
    return tuple(each for each in yaml.safe_load_all(text) if each)


def _kubectl(*arguments: str) -> str:
    program = provide((KUBECTL,), Progress())[KUBECTL]
    done = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"KUBECONFIG": "/dev/null", "KUBERC": "off"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

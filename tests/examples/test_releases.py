"""R24, R30: the API server takes every manifest of the examples, and nothing stands in the way of their releases."""

import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.errors import LabError
from lab.stack import Lab
from serinus.doctor import WORKED_WITH, Facts, Finding, Served, as_in_cluster, examine_cluster, read_plan
from serinus.doctor.examination import arms_of
from serinus.metrics import Arms, inquiries

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))
NOT_SERVED_HERE = {"argoproj.io/v1alpha1", "kustomize.toolkit.fluxcd.io/v1"}  # of Argo CD and Flux

CREATE = ("create", "--dry-run=server", "--validate=strict", "--filename=-")

Manifest = dict[str, Any]


def title(file: Path) -> str:
    return str(file.relative_to(EXAMPLES))


def documents(file: Path) -> list[Manifest]:
    """A file's objects; a release of GitOps' has its routes beside it, a pipeline's those of the demonstration."""
    beside = {"gitops/release.yaml": "gitops/delegate.yaml", "pipeline/release.yaml": "predictor.yaml"}
    files = [file, *([EXAMPLES / beside[title(file)]] if title(file) in beside else [])]
    texts = [one.read_text().replace("SERVING", "v1").replace("TAG", "v2") for one in files]
    return [each for text in texts for each in yaml.safe_load_all(text)]


RELEASES = [file for file in FILES if any(each["kind"] == "CanaryDeployment" for each in documents(file))]


@pytest.fixture(scope="module")
def namespaces(istio: Lab) -> set[str]:
    """Those that the API server has."""
    return set(istio.kubectl("get", "namespaces", "--output=jsonpath={.items[*].metadata.name}").split())


def pod(release: Manifest, side: str) -> Manifest:
    labels = {"app": release["spec"]["traffic"]["host"], **release["spec"][side]["labels"]}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": side, "labels": labels}, "spec": {}, "status": ready}


def workload(reference: Manifest) -> Manifest:
    status = {"readyReplicas": 2, "updatedReplicas": 2, "replicas": 2}
    return {"metadata": {"name": reference["name"]}, "spec": {"replicas": 2, "template": {}}, "status": status}


def cluster(file: Path) -> Facts:
    """The cluster of the file's release: its own objects, and pods of both versions."""
    found = documents(file)
    release = next(each for each in found if each["kind"] == "CanaryDeployment")
    host, named = release["spec"]["traffic"]["host"], release["spec"].get("workloads", {})
    objects: dict[Any, list[Manifest]] = defaultdict(list)
    for each in found:
        plural = {"CanaryPolicy": "canarypolicies"}.get(each["kind"], f"{each['kind'].lower()}s")
        objects[plural].append(each)
    objects["services"] = [{"metadata": {"name": host}, "spec": {"selector": {"app": host}}}]
    objects["pods"] = [pod(release, side) for side in ("stable", "canary")]
    objects["deployments"] = [workload(named[side]) for side in ("stable", "canary") if side in named]
    for each in (one for some in objects.values() for one in some):
        where = {"namespace": release["metadata"]["namespace"], "uid": each["metadata"]["name"], "resourceVersion": "1"}
        each["metadata"] = where | each["metadata"]
    served = Served("v1.31.2", {group: frozenset(plurals) for group, plurals in WORKED_WITH.items()})
    return Facts(as_in_cluster(release, None), objects, served, "serinus-system/serinus", refused=())


@pytest.mark.parametrize("file", RELEASES, ids=title)
def test_nothing_stands_in_the_way_of_an_examples_release(file: Path) -> None:
    facts = cluster(file)
    assert [str(each) for each in examine_cluster(facts) if each.level == "error"] == []
    manifest = read_plan(facts)
    assert not isinstance(manifest, Finding)
    arms = arms_of(facts, manifest.plan, "destination", None)
    assert isinstance(arms, Arms)
    assert len(inquiries(manifest.plan.policy, arms)) == 1 + len(manifest.plan.policy.metrics)


@pytest.mark.parametrize("file", [each for each in FILES if each.parent == EXAMPLES], ids=title)
def test_an_example_says_for_whom_it_is_and_why_its_ladder_is_as_it_is(file: Path) -> None:
    text = file.read_text()
    ladder = re.search(r"\n  ladder:.*?(?=\n  [a-z])", text, re.DOTALL)
    assert text.startswith("# ")
    assert ladder
    assert " # " in ladder.group()


@pytest.mark.api_server
@pytest.mark.parametrize("file", FILES, ids=title)
def test_the_api_server_takes_an_example(istio: Lab, namespaces: set[str], file: Path) -> None:
    served = [each for each in yaml.safe_load_all(file.read_text()) if each["apiVersion"] not in NOT_SERVED_HERE]
    for namespace in {each["metadata"]["namespace"] for each in served} - namespaces:
        istio.kubectl("create", "namespace", namespace)
        namespaces.add(namespace)
    if served:
        assert istio.kubectl(*CREATE, stdin=yaml.safe_dump_all(served)).count("created (server dry run)") == len(served)


@pytest.mark.api_server
def test_the_api_server_refuses_what_is_misspelt(istio: Lab) -> None:
    """Else the test above would say nothing."""
    manifest = documents(EXAMPLES / "predictor.yaml")[0]
    manifest["metadata"]["namespace"] = "default"
    manifest["spec"]["metrics"][0]["tolerence"] = {"absolute": 0.02}
    with pytest.raises(LabError, match=r"spec\.metrics\[0\]\.tolerence"):
        istio.kubectl(*CREATE, stdin=yaml.safe_dump(manifest))


def piped(tmp_path: Path, **codes: int) -> tuple[int, list[str], str]:
    """The pipeline's step, with a kubectl that notes what it is asked: exit code, questions, and what was applied."""
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\necho "$1 $2 $3" >>{tmp_path}/asked\n'
        f'[ "$1" = apply ] && cp "$3" {tmp_path}/applied\n'
        + "".join(f'[ "$2" = {command} ] && exit {code}\n' for command, code in codes.items())
        + "exit 0\n"
    )
    kubectl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TAG": "v2", "SERVING": "v1", "TMPDIR": str(tmp_path)}
    done = subprocess.run([EXAMPLES / "pipeline" / "release.sh"], env=environment, check=False, timeout=30)
    asked = (tmp_path / "asked").read_text().splitlines()
    applied = tmp_path / "applied"
    return done.returncode, asked, applied.read_text() if applied.exists() else ""


def test_r30_a_pipeline_asks_the_doctor_applies_its_version_and_ends_as_the_rollout_does(tmp_path: Path) -> None:
    code, asked, applied = piped(tmp_path, wait=1)
    assert (code, [each.split()[1] for each in asked]) == (1, ["doctor", "-f", "wait"])
    spec = yaml.safe_load(applied)["spec"]
    assert (spec["stable"]["labels"], spec["canary"]["labels"]) == ({"version": "v1"}, {"version": "v2"})


def test_a_pipeline_applies_nothing_that_the_doctor_has_an_error_for(tmp_path: Path) -> None:
    code, asked, applied = piped(tmp_path, doctor=1)
    assert (code, len(asked), applied) == (1, 1, "")

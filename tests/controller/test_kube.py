"""Writes on the real API server: what has changed meanwhile is a conflict, what is wrong is told in its own words."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from lab.stack import Lab
from serinus.api import CanaryDeploymentStatus, ConditionStatus, Phase
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import NotThere, WriteConflict, WriteFailed
from serinus.controller.statuses import read_status
from serinus.controller.tenure import NotOurs, Tenure, under
from tests.api.manifests import full_status

pytestmark = pytest.mark.api_server

CANARY = """
apiVersion: serinus.io/v1alpha1
kind: CanaryDeployment
metadata: {name: written, namespace: default}
spec:
  stable: {subset: stable, labels: {version: v1}}
  canary: {subset: canary, labels: {version: v2}}
  traffic: {host: predictor, virtualServices: [{name: predictor}], destinationRule: predictor}
"""


@pytest.fixture
def canary(api_server: Lab) -> Any:
    api_server.apply(CANARY)
    return json.loads(api_server.kubectl("get", "cdep", "written", "--output=json"))


async def test_a_status_is_written_whole_and_what_it_no_longer_has_is_gone(kube: Kube, canary: Any) -> None:
    status = CanaryDeploymentStatus(phase=Phase.PROGRESSING, step=1, steps=3, weight=10)
    written = await kube.write_status(canary, status)
    assert (written["status"]["phase"], written["status"]["step"]) == ("Progressing", 1)
    again = await kube.write_status(written, status.model_copy(update={"step": None}))
    assert "step" not in again["status"]
    assert read_status(again) == status.model_copy(update={"step": None})


async def test_the_write_of_a_status_leaves_the_rest_of_the_object_as_it_is(kube: Kube, canary: Any) -> None:
    """Whatever of it the operator knows: its cache keeps no managedFields, and a newer CRD has fields that it lacks."""
    known = {**canary, "metadata": {**canary["metadata"], "labels": {"team": "other"}}, "spec": {"revision": "other"}}
    written = await kube.write_status(known, CanaryDeploymentStatus(weight=10))
    assert written["spec"] == canary["spec"]
    kept = written["metadata"].keys() - {"resourceVersion", "managedFields"}
    assert {name: written["metadata"][name] for name in kept} == {name: canary["metadata"][name] for name in kept}


async def test_the_api_server_keeps_account_of_who_wrote_the_spec_and_of_the_status_as_one_thing(
    kube: Kube, api_server: Lab
) -> None:
    """The fields of a status would be most of that account, and compared and written with every status."""
    applied = ("apply", "--server-side", "--field-manager=gitops", "--show-managed-fields", "--output=json")
    told = api_server.kubectl(*applied, "--filename=-", stdin=CANARY.replace("written", "accounted"))
    canary = json.loads(told)
    before = canary["metadata"]["managedFields"]
    status = CanaryDeploymentStatus(weight=10, history=full_status().history)
    written = await kube.write_status(canary, status)
    after = written["metadata"]["managedFields"]
    assert [each for each in after if each.get("subresource") != "status"] == before
    (ours,) = (each for each in after if each.get("subresource") == "status")
    assert (ours["manager"], ours["fieldsV1"]) == ("serinus", {"f:status": {}})


async def test_kubectl_wait_hears_of_a_condition(kube: Kube, canary: Any, api_server: Lab) -> None:
    ready = ConditionStatus(
        type="Ready",
        status="True",
        reason="Promoted",
        last_transition_time=datetime.now(UTC),
        observed_generation=canary["metadata"]["generation"],
    )
    await kube.write_status(canary, CanaryDeploymentStatus(conditions=(ready,)))
    api_server.kubectl("wait", "cdep/written", "--for=condition=Ready", "--timeout=10s")


async def test_a_status_written_over_a_newer_object_is_a_conflict_I4(kube: Kube, canary: Any) -> None:
    status = CanaryDeploymentStatus(phase=Phase.PROGRESSING)
    await kube.write_status(canary, status)
    with pytest.raises(WriteConflict):
        await kube.write_status(canary, status.model_copy(update={"weight": 50}))


async def test_what_the_schema_refuses_is_told_in_the_api_servers_words(kube: Kube, canary: Any) -> None:
    wrong = CanaryDeploymentStatus().model_copy(update={"weight": 500})
    with pytest.raises(WriteFailed, match=r"status\.weight"):
        await kube.write_status(canary, wrong)


async def test_a_secret_is_read_by_its_name_and_one_that_is_not_there_is_told(kube: Kube, api_server: Lab) -> None:
    api_server.apply(
        "{apiVersion: v1, kind: Secret, metadata: {name: channel, namespace: default}, stringData: {webhook: told}}"
    )
    assert await kube.read_secret("default", "channel") == {"webhook": b"told"}
    with pytest.raises(NotThere, match='secrets "absent" not found'):
        await kube.read_secret("default", "absent")


async def test_reading_a_secret_imports_no_catalogue_of_what_kubernetes_has(api_server: Lab) -> None:
    reading = """
import asyncio, sys
from serinus.controller.kube import Kube
async def read():
    kube = await Kube.connect()
    await kube.read_secret("kube-system", "absent")
try:
    asyncio.run(read())
except Exception as error:
    assert "not found" in str(error), error
print(sum(name.startswith("kubernetes.aio.client.models.") for name in sys.modules))
"""
    environment = {**os.environ, "KUBECONFIG": os.fspath(api_server.kubeconfig)}
    told = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", reading], env=environment, capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 20  # of some 700


async def test_an_api_server_that_is_away_is_a_failed_write(kube: Kube, canary: Any) -> None:
    kube.api.configuration.host = "https://127.0.0.1:1"
    with pytest.raises(WriteFailed, match="no answer"):
        await kube.write_status(canary, CanaryDeploymentStatus())


async def test_what_is_not_ours_to_write_is_not_sent_I4(kube: Kube, canary: Any, api_server: Lab) -> None:
    tenure = Tenure.endless()
    with under(tenure):
        await kube.write_status(canary, CanaryDeploymentStatus(weight=10))
        tenure.end()
        with pytest.raises(NotOurs):
            await kube.write_status(canary, CanaryDeploymentStatus(weight=20))
        with pytest.raises(NotOurs):
            await asyncio.create_task(kube.patch("canarydeployments", canary, []))  # begun under it
    now = json.loads(api_server.kubectl("get", "cdep", "written", "--output=json"))
    assert now["status"]["weight"] == 10


async def test_a_write_takes_no_longer_than_nobody_else_may_write_I4(kube: Kube, canary: Any) -> None:
    tenure = Tenure(lambda: 1000.0)
    tenure.renew(begins_until=1001.0, over_at=1000.0)
    with under(tenure), pytest.raises(WriteFailed, match="no answer: TimeoutError"):
        await kube.write_status(canary, CanaryDeploymentStatus())

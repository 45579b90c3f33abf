"""Writes on the real API server: what has changed meanwhile is a conflict, what is wrong is told in its own words."""

import asyncio
import json
from typing import Any

import pytest

from lab.stack import Lab
from serinus.api import CanaryDeploymentStatus, Phase
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict, WriteFailed
from serinus.controller.tenure import NotOurs, Tenure, under

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


async def test_a_status_is_written_and_absent_fields_are_removed(kube: Kube, canary: Any) -> None:
    status = CanaryDeploymentStatus(phase=Phase.PROGRESSING, step=1, steps=3, weight=10)
    written = await kube.write_status(canary, status)
    assert (written["status"]["phase"], written["status"]["step"]) == ("Progressing", 1)
    again = await kube.write_status(written, status.model_copy(update={"step": None}))
    assert "step" not in again["status"]


async def test_a_status_written_over_a_newer_object_is_a_conflict_I4(kube: Kube, canary: Any) -> None:
    status = CanaryDeploymentStatus(phase=Phase.PROGRESSING)
    await kube.write_status(canary, status)
    with pytest.raises(WriteConflict):
        await kube.write_status(canary, status.model_copy(update={"weight": 50}))


async def test_what_the_schema_refuses_is_told_in_the_api_servers_words(kube: Kube, canary: Any) -> None:
    wrong = CanaryDeploymentStatus().model_copy(update={"weight": 500})
    with pytest.raises(WriteFailed, match=r"status\.weight"):
        await kube.write_status(canary, wrong)


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

"""The CRDs are removed and applied again, on an API server of its own: traffic goes back, and later it goes on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.programs import provide
from lab.programs.parts import ISTIO_CRDS, MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab
from lab.stack.workload import REPOSITORY
from tests.crash.cluster import Release, administrator
from tests.crash.operators import await_true

pytestmark = pytest.mark.api_server

CRD = "canarydeployments.serinus.io"


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    with Lab(mesh=False) as lab:
        lab.apply_crds()
        lab.kubectl("create", "--validate=false", f"--filename={provide(MESH_PARTS, Progress())[ISTIO_CRDS]}")
        lab.kubectl.await_crds()
        lab.apply(REPOSITORY / "deploy" / "base")
        yield lab


@pytest.fixture
def operator(own_lab: Lab, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """For the whole cluster, without evidence: the first step needs none."""
    kubeconfig = own_lab.service_account_kubeconfig("serinus-system", "serinus")
    log = tmp_path / "log"
    command = [sys.executable, "-m", "serinus.cli.main", "run", "--prometheus=http://127.0.0.1:9", "--settle=300ms"]
    with log.open("wb") as output:
        environment = {**os.environ, "KUBECONFIG": os.fspath(kubeconfig)}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    yield process
    process.kill()
    process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


def test_crds_that_are_removed_take_the_traffic_back_and_are_watched_when_they_are_there_again_I7(
    own_lab: Lab, operator: "subprocess.Popen[bytes]"
) -> None:
    first, second = (Release(administrator(own_lab.kubeconfig), f"removed-{number}") for number in (1, 2))
    first.create()
    await_true(lambda: first.weight() == 50, "the first step")
    own_lab.kubectl("delete", "crd", CRD, "--wait=false")
    await_true(lambda: CRD not in own_lab.kubectl("get", "crd", "--output=name"), "the CRD to be gone")
    assert first.weight() == 0
    own_lab.apply_crds()
    second.create()
    await_true(lambda: second.weight() == 50, "the first step of another")
    assert operator.poll() is None

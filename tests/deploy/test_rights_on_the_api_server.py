"""The rights that deploy/ gives: enough for whole rollouts, and none of them for nothing, by the audit log.

On an API server of its own, for an operator for the whole cluster acts on whatever it finds.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kubernetes import client

from lab.processes import Launch, Processes
from lab.programs import provide
from lab.programs.parts import ISTIO_CRDS, MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab
from tests.crash.cluster import SERINUS, Release
from tests.crash.conftest import Stage, staged
from tests.crash.operators import await_true
from tests.deploy.manifests import DEPLOY, kustomized
from tests.deploy.rights import given, refused, used

pytestmark = pytest.mark.api_server

HERE, EVERYWHERE = "shop:serinus", "serinus-system:serinus"
"""The account of each installation."""
LONG_AGO = timedelta(days=8)
WAITING = [{"weight": 50, "window": "1h"}, {"weight": 100, "window": "0s"}]


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """After a rollout by the rights in one namespace, and one by those in the cluster."""
    directory = tmp_path_factory.mktemp("rights")
    with Lab(mesh=False) as lab:
        lab.apply_crds()
        lab.kubectl("create", "--validate=false", f"--filename={provide(MESH_PARTS, Progress())[ISTIO_CRDS]}")
        lab.kubectl.await_crds()
        with staged(lab, directory) as stage:
            _play_in_a_namespace(lab, stage)
            _play_in_the_cluster(lab, stage)
        yield lab


def _play_in_a_namespace(lab: Lab, stage: Stage) -> None:
    """A rollout that needs all that an operator for one namespace may do, and that it do it."""
    release = Release(stage.api, "shop")
    stage.traffic.add(release.host, good=True)
    release.create(
        ladder=WAITING,
        traffic=release.traffic() | {"cohort": {"header": "x-user-id"}},
        prometheus={"address": stage.prometheus, "secretRef": {"name": "prometheus"}},
    )
    release.merge("destinationrules", {"spec": {"subsets": [{"name": "stable", "labels": {"version": "v1"}}]}})
    lab.kubectl("create", "secret", "generic", "prometheus", "--from-literal=token=open", "--namespace=shop")
    _install(lab, stage.directory / "shop")
    binding = ("rolebinding", "serinus-secrets", "--clusterrole=serinus-secrets", f"--serviceaccount={HERE}")
    lab.kubectl("create", *binding, "--namespace=shop")
    store = f"--store=sqlite:///{stage.directory / 'log.db'}"
    with _operator(lab, stage, HERE, "--namespace=shop", "--lease=shop/serinus", store):
        await_true(lambda: release.canary().get("status", {}).get("rollout", {}).get("stepStartedAt"), "the first step")
        for _ in range(2):  # what happens again is counted on its Event
            release.weigh(30)
            await_true(lambda: len(release.service()["spec"]["http"]) > 1, "the cohort's routes to be back")
        release.order("promote")
        _await_status(release, "phase", "Promoted")
        await_true(release.answer, "the answer to the override")
        _answered(release, datetime.now(UTC) - LONG_AGO)
        await_true(lambda: not release.answer(), "the override to be deleted")
        records = ("get", "canaryrecords", "--namespace=shop", "--output=name")
        await_true(lambda: not lab.kubectl(*records), "the records to be in the store")
        release.delete()
        await_true(lambda: not release.canary(), "the finalizer to be gone")


def _play_in_the_cluster(lab: Lab, stage: Stage) -> None:
    release = Release(stage.api, "everywhere")
    stage.traffic.add(release.host, good=True)
    release.create()
    with _operator(lab, stage, EVERYWHERE, "--lease=serinus-system/serinus"):
        _await_status(release, "phase", "Promoted")


def _install(lab: Lab, directory: Path) -> None:
    """deploy/overlays/namespaced, for the namespace `shop`."""
    directory.mkdir()
    there = os.path.relpath(DEPLOY / "overlays" / "namespaced", directory.resolve())
    (directory / "kustomization.yaml").write_text(f"namespace: shop\nresources: [{there}]\n")
    lab.apply(directory)


@contextmanager
def _operator(lab: Lab, stage: Stage, account: str, *options: str) -> Iterator[None]:
    """`serinus run` by the rights of an account."""
    namespace, _, name = account.partition(":")
    kubeconfig = lab.service_account_kubeconfig(namespace, name)
    processes = Processes(stage.directory / f"logs-{namespace}", Progress())
    log = processes.logs / "serinus.log"
    told = [f"--prometheus={stage.prometheus}", "--settle=300ms", "--reporter=source"]
    launch = Launch(
        "serinus",
        [sys.executable, "-m", "serinus.cli.main", "run", *told, *options],
        ready=lambda: "watching CanaryDeployments" in log.read_text(errors="replace"),
        environment={"KUBECONFIG": str(kubeconfig)},
    )
    processes.start(lambda: launch)
    yield
    processes.stop_all(10.0)


def _await_status(release: Release, field: str, value: object) -> None:
    await_true(lambda: release.canary().get("status", {}).get(field) == value, f"{field} {value}")


def _answered(release: Release, time: datetime) -> None:
    """Have the override's answer been given then."""
    client.CustomObjectsApi(release.api).patch_namespaced_custom_object_status(
        *SERINUS,
        release.namespace,
        "canaryoverrides",
        "app",
        {"status": {"time": time.isoformat()}},
        _content_type="application/merge-patch+json",
    )


@pytest.mark.parametrize("account", [HERE, EVERYWHERE])
def test_the_operator_is_refused_nothing(own_lab: Lab, account: str) -> None:
    assert used(own_lab, account)
    assert refused(own_lab, account) == []


def test_no_right_is_given_for_nothing(own_lab: Lab) -> None:
    """Those in the cluster are the same (test_installations.py)."""
    assert given(kustomized("overlays/namespaced")) - used(own_lab, HERE) == set()

"""What several rooms' tests share: the API server and the mesh, started when the first test asks for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab.stack import Lab
    from serinus.controller.kube import Kube

# The lab is imported inside the fixtures: tests that need none of it start without it.


@pytest.fixture(scope="session")
def api_server() -> Iterator[Lab]:
    """A real API server with Serinus' CRDs, one for all tests: use names and namespaces of your own."""
    from lab.stack import Lab  # noqa: PLC0415

    with Lab(mesh=False) as lab:
        lab.apply_crds()
        yield lab


@pytest.fixture
async def kube(api_server: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kube]:
    """The operator's connection to the API server, with an administrator's rights."""
    from serinus.controller.kube import Kube  # noqa: PLC0415

    monkeypatch.setenv("KUBECONFIG", os.fspath(api_server.kubeconfig))
    connected = await Kube.connect()
    yield connected
    await connected.close()


@pytest.fixture(scope="session")
def istio(api_server: Lab) -> Lab:
    """The API server, with Istio's kinds as well."""
    from lab.programs import provide  # noqa: PLC0415
    from lab.programs.parts import ISTIO_CRDS, MESH_PARTS  # noqa: PLC0415
    from lab.progress import Progress  # noqa: PLC0415

    api_server.kubectl("create", "--validate=false", f"--filename={provide(MESH_PARTS, Progress())[ISTIO_CRDS]}")
    api_server.kubectl.await_crds()
    return api_server


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The whole lab with Serinus' CRDs, one for all tests: use services of your own (lab.add_service)."""
    from lab.stack import Lab  # noqa: PLC0415

    with Lab() as lab:
        lab.apply_crds()
        yield lab

"""Lists and streams of the real API server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from kubernetes.aio import client, config

from lab.stack import Lab
from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Object
from serinus.controller.watch import source as room
from serinus.controller.watch.source import Event, Expired, NoSuchKind, Source, Trouble

pytestmark = pytest.mark.api_server

T = TypeVar("T")

NAMESPACE = "watched"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


@pytest.fixture(scope="module")
def maps(api_server: Lab) -> Lab:
    """A namespace with five ConfigMaps."""
    api_server.kubectl("create", "namespace", NAMESPACE)
    for number in range(5):
        api_server.kubectl("create", "configmap", f"map-{number}", f"--namespace={NAMESPACE}")
    return api_server


def ask(kubeconfig: Path, work: Callable[[client.ApiClient], Awaitable[T]]) -> T:
    async def run() -> T:
        configuration = client.Configuration()
        await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
        async with client.ApiClient(configuration) as api:
            return await asyncio.wait_for(work(api), 60)

    return asyncio.run(run())


async def listed(api: client.ApiClient, path: str = CONFIG_MAPS) -> tuple[list[Object], str]:
    found: list[Object] = []
    version = ""
    async for page in Source(api, path).pages():
        found += page.items
        version = page.metadata.resource_version
    return found, version


def test_a_long_list_comes_in_pages_and_is_whole(maps: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PAGE", 2)
    found, _ = ask(maps.kubeconfig, listed)
    assert [each["metadata"]["name"] for each in found] == [f"map-{number}" for number in range(5)]


def test_what_happens_after_the_list_is_told_in_its_order(maps: Lab) -> None:
    async def work(api: client.ApiClient) -> list[Event]:
        _, version = await listed(api)
        core = client.CoreV1Api(api)
        for number in range(3):
            await core.patch_namespaced_config_map("map-0", NAMESPACE, {"data": {"number": str(number)}})
        told: list[Event] = []
        async for event in Source(api, CONFIG_MAPS).events(version):
            told.append(event)
            if len(told) == 3:
                break
        return told

    told = ask(maps.kubeconfig, work)
    assert [(each.type, each.object["data"]["number"]) for each in told] == [("MODIFIED", str(n)) for n in range(3)]


@pytest.mark.parametrize(
    ("path", "version", "raised"),
    [
        (f"/apis/{GROUP}/{VERSION}/nothings", "0", NoSuchKind),
        (f"/apis/{GROUP}/{VERSION}/canarydeployments", "1", Expired),
        (CONFIG_MAPS, "nonsense", Trouble),
    ],
)
def test_what_cannot_be_watched_is_told_apart(maps: Lab, path: str, version: str, raised: type[Trouble]) -> None:
    async def work(api: client.ApiClient) -> None:
        async for _ in Source(api, path).events(version):
            pass

    with pytest.raises(raised):
        ask(maps.kubeconfig, work)


def test_what_may_not_be_listed_is_told_in_the_api_servers_words(maps: Lab) -> None:
    maps.kubectl("create", "serviceaccount", "nobody", f"--namespace={NAMESPACE}")
    kubeconfig = maps.service_account_kubeconfig(NAMESPACE, "nobody")
    with pytest.raises(Trouble, match=r'refused: configmaps is forbidden: User "system:serviceaccount:watched:nobody"'):
        ask(kubeconfig, listed)

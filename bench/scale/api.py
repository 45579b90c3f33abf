"""The API server as the bench uses it: objects go in by the thousand, changes of them come out, requests count."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bench.scale.objects import Canary, Object
from bench.scale.standing import Standing, subject_of
from lab.stack import web

_AT_ONCE = 16
_LINE = 2**20  # bytes that a watch event may have
_SERINUS = "/apis/serinus.io/v1alpha1"
_ISTIO = "/apis/networking.istio.io/v1"
_COUNTED = re.compile(r"^apiserver_request_total\{(.*)\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Requests:
    """How many requests of each kind the API server has had: by verb, API group and resource with its subresource."""

    counts: dict[tuple[str, str, str], float]

    def since(self, before: "Requests") -> "Requests":
        """Those after `before`."""
        return Requests({kind: count - before.counts.get(kind, 0.0) for kind, count in self.counts.items()})

    def status_writes(self) -> float:
        """The operator's writes of CanaryDeployments' statuses; the bench's own are patches."""
        return self.counts.get(("PUT", "serinus.io", "canarydeployments/status"), 0.0)


@dataclass
class Seen:
    """What the watch has shown of one VirtualService."""

    weight: int | None = None
    back_at: float | None = None
    """When the weight was seen to be 0 (Unix time)."""


@dataclass
class Feed:
    """The newest of every object."""

    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)


class Api:
    """As administrator."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, ca: Path) -> None:
        self._session, self._url, self._token, self._ca = session, url, token, ca
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.feed = Feed()

    async def create_namespaces(self, names: Iterable[str]) -> None:
        """Create what is not there yet."""
        for name in names:
            await self._send("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    async def create(self, canaries: Iterable[Canary], standing: Standing) -> None:
        """Create the objects of canaries that stand where `standing` says."""
        await asyncio.gather(*(self._create(canary, standing) for canary in canaries))

    async def _create(self, canary: Canary, standing: Standing) -> None:
        async with self._places:
            place = f"namespaces/{canary.namespace}"
            created = await self._send("POST", f"{_SERINUS}/{place}/canarydeployments", canary.manifest())
            ours = standing.of(subject_of(created))
            mesh = canary.virtual_service(ours.weight, ours.decision)
            await self._send("POST", f"{_ISTIO}/{place}/destinationrules", canary.destination_rule())
            await self._send("POST", f"{_ISTIO}/{place}/virtualservices", mesh)
            status = {"status": json.loads(ours.status.model_dump_json(by_alias=True, exclude_none=True))}
            await self._send("PATCH", f"{_SERINUS}/{place}/canarydeployments/{canary.name}/status", status)

    async def requests(self) -> Requests:
        """Counted by the API server itself."""
        answer = await asyncio.to_thread(
            web.get, f"{self._url}/metrics", {"Authorization": f"Bearer {self._token}"}, self._ca, 30.0
        )
        counts: dict[tuple[str, str, str], float] = {}
        for labels, value in _COUNTED.findall(answer.body if answer else ""):
            told = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            part = f"/{told['subresource']}" if told["subresource"] else ""
            kind = told["verb"], told["group"], f"{told['resource']}{part}"
            counts[kind] = counts.get(kind, 0.0) + float(value)
        return Requests(counts)

    async def watch(self) -> None:
        """Keep the feed up to date until cancelled."""
        version = ""
        while True:
            parameters = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
            async with self._session.get(f"{self._url}{_ISTIO}/virtualservices", params=parameters) as response:
                async for line in response.content:
                    event = json.loads(line)
                    version = event["object"].get("metadata", {}).get("resourceVersion", "")
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self._note(event["object"])

    def _note(self, service: Object) -> None:
        metadata = service["metadata"]
        seen = self.feed.seen.setdefault((metadata["namespace"], metadata["name"]), Seen())
        seen.weight = service["spec"]["http"][0]["route"][1].get("weight", 0)
        if seen.weight == 0 and seen.back_at is None:
            seen.back_at = time.time()

    async def _send(self, method: str, path: str, body: Any) -> Object:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = json.dumps(body).encode()
        async with self._session.request(
            method, f"{self._url}{path}", data=data, headers={"Content-Type": kind}
        ) as response:
            answer: Object = await response.json()
            if response.status not in (200, 201, 409):
                raise RuntimeError(f"{method} {path}: {answer.get('message')}")
            return answer


@asynccontextmanager
async def administrator(kubeconfig: Path) -> AsyncIterator[Api]:
    """A client that watches what the bench looks at."""
    told = yaml.safe_load(kubeconfig.read_text())  # noqa: ASYNC240 - a small file, read once
    cluster, user = told["clusters"][0]["cluster"], told["users"][0]["user"]
    ca = Path(cluster["certificate-authority"])
    context = ssl.create_default_context(cafile=str(ca))
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {user['token']}"},
        connector=aiohttp.TCPConnector(ssl=context, limit=_AT_ONCE + 2),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        read_bufsize=_LINE,
    ) as session:
        yield Api(session, cluster["server"], user["token"], ca)

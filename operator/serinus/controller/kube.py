"""Writes to the Kubernetes API: statuses, JSON patches of Istio's objects, Events. Reads come from the watch."""

import asyncio
import base64
import contextlib
import json
import math
import os
from collections.abc import Coroutine, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from yaml import YAMLError

from serinus.api import CanaryDeploymentStatus, OverrideStatus
from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Kind, Object
from serinus.controller.events import News
from serinus.controller.figures import WRITES
from serinus.controller.kube_errors import NamespaceEnds, NoCluster, NotThere, WriteConflict, WriteFailed
from serinus.controller.tenure import NotOurs, seconds_to_write
from serinus.controller.times import micro_time
from serinus.istio import Operation

ISTIO = ("networking.istio.io", "v1")

_EVENTS = ("events.k8s.io", "v1", "events")
OWNER = "serinus.io/owner"
"""Label of a CanaryRecord: the uid of the CanaryDeployment that it is about."""

_ENVOY_FILTERS = ("networking.istio.io", "v1alpha3", "envoyfilters")
_TIMEOUT = 10.0  # seconds for a whole request
# Writes to CanaryDeployments on their way at a time, and as many Events: a slow API server would answer none of many
# within the time limit, and each would be sent again; and a connection takes a third of a megabyte. What moves traffic
# does not wait for them.
_AT_ONCE = 8
# All that the API server says of a JSON patch whose `test` failed; schema and admission name what they refuse.
_FAILED_TEST = "the server rejected our request due to an error in our request"
_NAMESPACE_ENDS = "because it is being terminated"
_MANAGER = "serinus"
_LONGEST_STEM = 240  # characters of an Event's name that the API server adds its own to


class Kube:
    """The API server, as the operator's service account sees it. Close it when done."""

    def __init__(self, api: client.ApiClient) -> None:
        self.api = api
        self._objects = client.CustomObjectsApi(api)
        self._owners, self._events = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_AT_ONCE)

    @classmethod
    async def connect(cls) -> "Kube":
        """From the pod's service account, else from KUBECONFIG. Raises NoCluster."""
        configuration = client.Configuration()
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        except config.ConfigException as error:
            raise NoCluster(f"no cluster: {error}; set KUBECONFIG, or run in a pod") from error
        except YAMLError as error:  # whose words quote the file, and with it credentials
            raise NoCluster("no cluster: the kubeconfig is not a YAML document") from error
        configuration.connection_pool_maxsize = 0  # without a limit: each watch keeps a connection of its own
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Let the connections go."""
        await self.api.close()

    @property
    def is_busy(self) -> bool:
        """Whether one more write to a CanaryDeployment would have to wait for others."""
        return self._owners.locked()

    async def write_status(self, owner: Object, status: CanaryDeploymentStatus) -> Object:
        """Write the status unless the object has changed since `owner` was read; the object as it is then."""
        metadata = owner["metadata"]
        # In place of the one before: to merge a patch, and to look for fields that it does not know, takes the API
        # server longer. It keeps spec and metadata as they are; they are sent for whoever admits objects.
        body = {**owner, "status": status.model_dump(mode="json", by_alias=True, exclude_none=True)}
        async with self._owners:
            written: Object = await self._write(
                self._objects.replace_namespaced_custom_object_status(
                    GROUP,
                    VERSION,
                    metadata["namespace"],
                    "canarydeployments",
                    metadata["name"],
                    body,
                    field_manager=_MANAGER,
                    field_validation="Ignore",
                    _request_timeout=_TIMEOUT,
                )
            )
        return written

    async def patch(self, kind: Kind, target: Object, operations: Sequence[Operation]) -> Object:
        """Apply a JSON patch to an object; the object as it is then."""
        metadata = target["metadata"]
        is_ours = kind == "canarydeployments"
        async with self._owners if is_ours else contextlib.nullcontext():
            written: Object = await self._write(
                self._objects.patch_namespaced_custom_object(
                    *((GROUP, VERSION) if is_ours else ISTIO),
                    metadata["namespace"],
                    kind,
                    metadata["name"],
                    [dict(operation) for operation in operations],
                    field_manager=_MANAGER,
                    _content_type="application/json-patch+json",
                    _request_timeout=_TIMEOUT,
                )
            )
        return written

    async def apply_envoy_filter(self, wanted: Object) -> None:
        """Create an EnvoyFilter of ours, or make it as wanted."""
        metadata = wanted["metadata"]
        try:
            await self._write(
                self._objects.patch_namespaced_custom_object(
                    *_ENVOY_FILTERS[:2],
                    metadata["namespace"],
                    _ENVOY_FILTERS[2],
                    metadata["name"],
                    wanted,
                    field_manager=_MANAGER,
                    force=True,
                    _content_type="application/apply-patch+yaml",
                    _request_timeout=_TIMEOUT,
                )
            )
        except NotThere as error:
            raise WriteFailed("this cluster has no EnvoyFilters: say by: setCookie in spec.traffic.cohort") from error

    async def delete_envoy_filter(self, namespace: str, name: str) -> None:
        """Delete an EnvoyFilter of ours, if it is there."""
        with contextlib.suppress(NotThere):
            await self._write(
                self._objects.delete_namespaced_custom_object(
                    *_ENVOY_FILTERS[:2], namespace, _ENVOY_FILTERS[2], name, _request_timeout=_TIMEOUT
                )
            )

    async def answer_override(self, override: Object, status: OverrideStatus) -> Object:
        """Say in an override's status what came of it; the object as it is then."""
        metadata = override["metadata"]
        written: Object = await self._write(
            self._objects.patch_namespaced_custom_object_status(
                GROUP,
                VERSION,
                metadata["namespace"],
                "canaryoverrides",
                metadata["name"],
                {"metadata": {"uid": metadata["uid"]}, "status": status.model_dump(mode="json", by_alias=True)},
                field_manager=_MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=_TIMEOUT,
            )
        )
        return written

    async def delete_override(self, override: Object) -> None:
        """Delete an override, if it is there; not another one of the same name."""
        metadata = override["metadata"]
        with contextlib.suppress(NotThere):
            await self._write(
                self._objects.delete_namespaced_custom_object(
                    GROUP,
                    VERSION,
                    metadata["namespace"],
                    "canaryoverrides",
                    metadata["name"],
                    body=client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=metadata["uid"])),
                    _request_timeout=_TIMEOUT,
                )
            )

    async def create_record(self, owner: Object, name: str, packed: str) -> None:
        """Keep a record in an object that outlives its CanaryDeployment; nothing where it is kept already."""
        metadata = owner["metadata"]
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "CanaryRecord",
            "metadata": {"name": name, "labels": {OWNER: metadata["uid"]}},
            "spec": {"packed": packed},
        }
        with contextlib.suppress(WriteConflict):
            await self._write(
                self._objects.create_namespaced_custom_object(
                    GROUP, VERSION, metadata["namespace"], "canaryrecords", body, _request_timeout=_TIMEOUT
                )
            )

    async def list_records(self, namespaces: Sequence[str]) -> list[Object]:
        """The records that are kept in these namespaces, or in all."""
        if not namespaces:
            everywhere = self._objects.list_cluster_custom_object(
                GROUP, VERSION, "canaryrecords", _request_timeout=_TIMEOUT
            )
            return list((await self._write(everywhere))["items"])
        found: list[Object] = []
        for namespace in namespaces:
            there = self._objects.list_namespaced_custom_object(
                GROUP, VERSION, namespace, "canaryrecords", _request_timeout=_TIMEOUT
            )
            found += (await self._write(there))["items"]
        return found

    async def delete_record(self, namespace: str, name: str) -> None:
        """Let go of a record that is kept, if it is there."""
        with contextlib.suppress(NotThere):
            await self._write(
                self._objects.delete_namespaced_custom_object(
                    GROUP, VERSION, namespace, "canaryrecords", name, _request_timeout=_TIMEOUT
                )
            )

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """The data of a Secret. Raises WriteFailed with the API server's words where it may not be read."""
        found = await self._write(self._secret(namespace, name))
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    async def post_event(self, news: News) -> str:
        """Create an Event about a CanaryDeployment, for `kubectl describe`; its name."""
        metadata = news.owner["metadata"]
        body = {
            "apiVersion": "/".join(_EVENTS[:2]),
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name'][:_LONGEST_STEM]}-", "namespace": metadata["namespace"]},
            "eventTime": micro_time(news.time),
            "reportingController": "serinus.io/operator",
            "reportingInstance": os.environ.get("HOSTNAME", "serinus"),
            "action": news.action,
            "reason": news.reason,
            "note": news.note,
            "type": "Warning" if news.warning else "Normal",
            "regarding": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": "CanaryDeployment",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        }
        async with self._events:
            created = await self._write(
                self._objects.create_namespaced_custom_object(
                    *_EVENTS[:2], metadata["namespace"], _EVENTS[2], body, _request_timeout=_TIMEOUT
                )
            )
        return str(created["metadata"]["name"])

    async def count_event(self, namespace: str, name: str, count: int, last: datetime) -> None:
        """Say of an Event that it has happened so often, and when it last did."""
        async with self._events:
            await self._write(
                self._objects.patch_namespaced_custom_object(
                    *_EVENTS[:2],
                    namespace,
                    _EVENTS[2],
                    name,
                    {"series": {"count": count, "lastObservedTime": micro_time(last)}},
                    _content_type="application/merge-patch+json",
                    _request_timeout=_TIMEOUT,
                )
            )

    async def _secret(self, namespace: str, name: str) -> Object:
        # By its path: the client's own call would have it import every kind that Kubernetes has, which takes 25 MB.
        request = await self.api.param_serialize(
            "GET",
            "/api/v1/namespaces/{namespace}/secrets/{name}",
            path_params={"namespace": namespace, "name": name},
            auth_settings=["BearerToken"],
        )
        answer = await self.api.call_api(*request, _request_timeout=_TIMEOUT)
        await answer.read()
        told: Any = self.api.response_deserialize(answer, {"200": "object"})
        found: Object = told.data
        return found

    async def _write(self, request: Coroutine[Any, Any, Any]) -> Any:
        """Send it if this replica may act for the object it is about, and not for longer than that is certain."""
        try:
            left = seconds_to_write()
        except NotOurs:
            request.close()
            WRITES.labels("not-ours").inc()
            raise
        try:
            answer = await answered(request, within=left)
        except (WriteConflict, WriteFailed) as error:
            WRITES.labels("conflict" if isinstance(error, WriteConflict) else "failed").inc()
            raise
        WRITES.labels("done").inc()
        return answer


async def answered(request: Coroutine[Any, Any, Any], within: float = math.inf) -> Any:
    """What the API server answers within so many seconds. Raises WriteConflict and WriteFailed."""
    try:
        async with asyncio.timeout(None if within == math.inf else within):
            return await request
    except client.ApiException as error:
        message = _message(error)
        if error.status == HTTPStatus.NOT_FOUND:
            raise NotThere(message) from error
        if error.status == HTTPStatus.CONFLICT or (
            error.status == HTTPStatus.UNPROCESSABLE_ENTITY and _FAILED_TEST in message
        ):
            raise WriteConflict(message) from error
        if error.status == HTTPStatus.FORBIDDEN and _NAMESPACE_ENDS in message:
            raise NamespaceEnds(f"refused: {message}") from error
        raise WriteFailed(f"refused: {message}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise WriteFailed(f"no answer: {type(error).__name__}") from error


def _message(error: client.ApiException) -> str:
    """The API server's own words, without headers and bodies."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"

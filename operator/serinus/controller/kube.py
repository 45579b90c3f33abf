"""Writes to the Kubernetes API: statuses, JSON patches of Istio's objects, Events. Reads come from the watch."""

import base64
import contextlib
import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from serinus.api import CanaryDeploymentStatus, OverrideStatus
from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Kind, Object
from serinus.istio import Operation

ISTIO = ("networking.istio.io", "v1")

_ENVOY_FILTERS = ("networking.istio.io", "v1alpha3", "envoyfilters")
_TIMEOUT = 10.0  # seconds for a whole request
# All that the API server says of a JSON patch whose `test` failed; schema and admission name what they refuse.
_FAILED_TEST = "the server rejected our request due to an error in our request"
_MANAGER = "serinus"
_NOTE = 1024  # characters that an Event's note may have


class WriteConflict(Exception):
    """The object has changed since it was read: read it again, decide again."""


class WriteFailed(Exception):
    """The API server refused the write or did not answer; the message says which, in its own words."""


class _NotThere(WriteConflict):
    """The object to be written does not exist."""


class Kube:
    """The API server, as the operator's service account sees it. Close it when done."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._objects = client.CustomObjectsApi(api)
        self._events = client.EventsV1Api(api)
        self._core = client.CoreV1Api(api)

    @classmethod
    async def connect(cls) -> "Kube":
        """From the pod's service account, else from KUBECONFIG."""
        configuration = client.Configuration()
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        return cls(client.ApiClient(configuration))

    async def close(self) -> None:
        """Let the connections go."""
        await self._api.close()

    async def write_status(self, owner: Object, status: CanaryDeploymentStatus) -> Object:
        """Write the status unless the object has changed since `owner` was read; the object as it is then."""
        metadata = owner["metadata"]
        # A merge patch: null removes, so a field that has become absent must be there as null.
        body = {
            "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "status": status.model_dump(mode="json", by_alias=True),
        }
        written: Object = await self._write(
            self._objects.patch_namespaced_custom_object_status(
                GROUP,
                VERSION,
                metadata["namespace"],
                "canarydeployments",
                metadata["name"],
                body,
                field_manager=_MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=_TIMEOUT,
            )
        )
        return written

    async def patch(self, kind: Kind, target: Object, operations: Sequence[Operation]) -> Object:
        """Apply a JSON patch to an object; the object as it is then."""
        metadata = target["metadata"]
        written: Object = await self._write(
            self._objects.patch_namespaced_custom_object(
                *((GROUP, VERSION) if kind == "canarydeployments" else ISTIO),
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
        except _NotThere as error:
            raise WriteFailed("this cluster has no EnvoyFilters: say by: setCookie in spec.traffic.cohort") from error

    async def delete_envoy_filter(self, namespace: str, name: str) -> None:
        """Delete an EnvoyFilter of ours, if it is there."""
        with contextlib.suppress(_NotThere):
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

    async def create_record(self, owner: Object, name: str, packed: str) -> None:
        """Keep a record in an object of the CanaryDeployment's; nothing where it is kept already."""
        metadata = owner["metadata"]
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "CanaryRecord",
            "metadata": {
                "name": name,
                "ownerReferences": [
                    {
                        "apiVersion": f"{GROUP}/{VERSION}",
                        "kind": "CanaryDeployment",
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                    }
                ],
            },
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
        with contextlib.suppress(_NotThere):
            await self._write(
                self._objects.delete_namespaced_custom_object(
                    GROUP, VERSION, namespace, "canaryrecords", name, _request_timeout=_TIMEOUT
                )
            )

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """The data of a Secret. Raises WriteFailed with the API server's words where it may not be read."""
        found = await self._write(self._core.read_namespaced_secret(name, namespace, _request_timeout=_TIMEOUT))
        return {key: base64.b64decode(value) for key, value in (found.data or {}).items()}

    async def post_event(
        self, owner: Object, *, reason: str, note: str, action: str, warning: bool, time: datetime
    ) -> None:
        """An Event about a CanaryDeployment, for `kubectl describe`."""
        metadata = owner["metadata"]
        body: Any = {
            "metadata": {"generateName": f"{metadata['name']}-", "namespace": metadata["namespace"]},
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": "serinus.io/operator",
            "reportingInstance": os.environ.get("HOSTNAME", "serinus"),
            "action": action,
            "reason": reason,
            "note": note[:_NOTE],
            "type": "Warning" if warning else "Normal",
            "regarding": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": "CanaryDeployment",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        }
        await self._write(self._events.create_namespaced_event(metadata["namespace"], body, _request_timeout=_TIMEOUT))

    async def _write(self, request: Any) -> Any:
        try:
            return await request
        except client.ApiException as error:
            message = _message(error)
            if error.status == 404:
                raise _NotThere(message) from error
            if error.status == 409 or (error.status == 422 and _FAILED_TEST in message):
                raise WriteConflict(message) from error
            raise WriteFailed(f"refused: {message}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise WriteFailed(f"no answer: {type(error).__name__}") from error


def _message(error: client.ApiException) -> str:
    """The API server's own words, without headers and bodies."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"

"""Writes to the Kubernetes API: statuses, JSON patches of Istio's objects, Events. Reads come from the watch."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from serinus.api import CanaryDeploymentStatus
from serinus.api.crds import GROUP, VERSION
from serinus.controller.cache import Kind, Object
from serinus.istio import Operation

ISTIO = ("networking.istio.io", "v1")

_TIMEOUT = 10.0  # seconds for a whole request
_MANAGER = "serinus"
_NOTE = 1024  # characters that an Event's note may have


class WriteConflict(Exception):
    """The object has changed since it was read: read it again, decide again."""


class WriteFailed(Exception):
    """The API server refused the write or did not answer; the message says which, in its own words."""


class Kube:
    """The API server, as the operator's service account sees it. Close it when done."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._objects = client.CustomObjectsApi(api)
        self._events = client.EventsV1Api(api)

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
        """Apply a JSON patch to one of Istio's objects; the object as it is then."""
        metadata = target["metadata"]
        written: Object = await self._write(
            self._objects.patch_namespaced_custom_object(
                *ISTIO,
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
            # A failed `test` of a JSON patch is a 422 like a refusal by admission; only its words tell them apart.
            if error.status == 409 or (error.status == 422 and "testing value" in message.lower()):
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

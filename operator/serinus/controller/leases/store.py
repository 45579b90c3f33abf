"""Where the leases are: requests to the API server, each short enough to be repeated before a lease runs out."""

from collections.abc import Sequence

from kubernetes.aio import client

from serinus.controller.cache import Object
from serinus.controller.kube import Kube, answered
from serinus.controller.leases.lease import LABEL, Lease
from serinus.controller.leases.settings import LeaseSettings
from serinus.istio import Operation

_LEASES = ("coordination.k8s.io", "v1")


class LeaseStore:
    """The leases of the replicas that share work. Raises WriteConflict and WriteFailed."""

    def __init__(self, kube: Kube, settings: LeaseSettings) -> None:
        self._api = client.CustomObjectsApi(kube.api)
        self._settings = settings
        self._timeout = settings.renew_every

    async def all(self) -> list[Lease]:
        """All leases, as they are now."""
        listed = await answered(
            self._api.list_namespaced_custom_object(
                *_LEASES,
                self._settings.namespace,
                "leases",
                label_selector=f"{LABEL}={self._settings.name}",
                _request_timeout=self._timeout,
            )
        )
        return [Lease.of(each) for each in listed["items"]]

    async def create(self, manifest: Object) -> Lease:
        """Create a lease; a conflict where it exists."""
        created = await answered(
            self._api.create_namespaced_custom_object(
                *_LEASES, self._settings.namespace, "leases", manifest, _request_timeout=self._timeout
            )
        )
        return Lease.of(created)

    async def patch(self, name: str, operations: Sequence[Operation]) -> Lease:
        """Change a lease; a conflict where it is not as the operations test it."""
        patched = await answered(
            self._api.patch_namespaced_custom_object(
                *_LEASES,
                self._settings.namespace,
                "leases",
                name,
                [dict(operation) for operation in operations],
                _content_type="application/json-patch+json",
                _request_timeout=self._timeout,
            )
        )
        return Lease.of(patched)

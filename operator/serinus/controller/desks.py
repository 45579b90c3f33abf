"""Which server a canary's evidence comes from, and with whose credentials.

The operator's own credentials go to the operator's own address and nowhere else; an address that an object names gets
what the object's own Secret holds, or nothing (I10).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict, WriteFailed
from serinus.controller.queries import CountedPrometheus
from serinus.controller.settings import Settings
from serinus.metrics import Connection, Credentials, CredentialsError, Desk
from serinus.rollout import Obstacle, Plan

_READ_AGAIN = 60.0  # seconds until credentials are looked at again: tokens are renewed


@dataclass
class _Open:
    """A desk, the connection that it has, and when the credentials were read (monotonic seconds)."""

    connection: Connection
    desk: Desk
    read_at: float


class Desks:
    """One desk for each server and Secret, opened when it is first needed."""

    def __init__(self, settings: Settings, kube: Kube) -> None:
        self._settings = settings
        self._kube = kube
        self._open: dict[tuple[str, str, str], _Open] = {}

    async def close(self) -> None:
        """Let all connections go."""
        for opened in self._open.values():
            await opened.desk.prometheus.close()

    async def desk(self, plan: Plan, namespace: str) -> Desk:
        """The desk for a plan of that namespace. Raises Obstacle where its credentials cannot be had."""
        place = self._place(plan, namespace)
        opened = self._open.get(place)
        if opened is not None and time.monotonic() - opened.read_at < _READ_AGAIN:
            return opened.desk
        address, _, secret = place
        connection = Connection(address, await self._credentials(address, namespace, secret))
        opened = self._open.get(place)  # by somebody else, meanwhile
        if opened is not None and opened.connection == connection:
            opened.read_at = time.monotonic()
            return opened.desk
        desk = Desk(CountedPrometheus(connection))
        self._open[place] = _Open(connection, desk, time.monotonic())
        if opened is not None:
            await opened.desk.prometheus.close()
        return desk

    def lateness(self, plan: Plan, namespace: str) -> float:
        """How much later than by our clock the samples of a moment are there, in seconds; 0 where nobody has looked.

        That is the longest that a scrape took, and by how much the server's clock is behind ours.
        """
        opened = self._open.get(self._place(plan, namespace))
        return opened.desk.scrape_duration + opened.desk.behind if opened is not None else 0.0

    def _place(self, plan: Plan, namespace: str) -> tuple[str, str, str]:
        """Address, namespace and name of the Secret; the latter two are empty without one."""
        named = plan.prometheus
        address = (named and named.address) or self._settings.prometheus
        secret = named.secret_ref.name if named and named.secret_ref else ""
        return address, namespace if secret else "", secret

    async def _credentials(self, address: str, namespace: str, secret: str) -> Credentials:
        try:
            if secret:
                return _checked(await self._kube.read_secret(namespace, secret))
            directory = self._settings.prometheus_credentials
            if directory is not None and address == self._settings.prometheus:
                return _checked({file.name: file.read_bytes() for file in sorted(directory.iterdir()) if _is_key(file)})
        except (CredentialsError, WriteFailed, WriteConflict, OSError) as error:
            where = f"Secret {namespace}/{secret}" if secret else f"{self._settings.prometheus_credentials}"
            # Of a file that cannot be read the error's text would hold no secret, but no more than its kind is needed.
            told = type(error).__name__ if isinstance(error, OSError) else str(error)
            raise Obstacle("PrometheusSecretUnusable", f"the credentials for {address} in {where}: {told}") from error
        return Credentials()


def _checked(data: Mapping[str, bytes]) -> Credentials:
    credentials = Credentials.of(data)
    credentials.tls()
    return credentials


def _is_key(file: Path) -> bool:
    """A key of a mounted Secret: beside them lie hidden directories of the kubelet's."""
    return file.is_file() and not file.name.startswith(".")

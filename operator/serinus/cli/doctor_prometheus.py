"""How `serinus doctor` reaches the Prometheus that it asks, and with whose credentials."""

import base64
import math
import time
from collections.abc import Sequence

from serinus.cli.cluster import Cluster
from serinus.cli.inputs import InputError
from serinus.doctor import Look, look_at
from serinus.metrics import Connection, Credentials, Inquiry, Prometheus

_LATE = 30.0  # seconds: samples of a moment may come that late


async def ask(connection: Connection, asked: Sequence[Inquiry]) -> Look:
    """The answers; what a server does wrong is in their doubts. Raises CredentialsError."""
    prometheus = Prometheus(connection)
    try:
        return await look_at(prometheus, asked, math.floor(time.time() - _LATE))
    finally:
        await prometheus.close()


def credentials_in(cluster: Cluster, namespace: str, name: str) -> Credentials:
    """From a Secret, if whoever runs this may read it. Raises InputError, and ClusterError."""
    secret = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    try:
        return Credentials.of({key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()})
    except ValueError as error:  # CredentialsError is one
        raise InputError(f"Secret {namespace}/{name}: {error}") from error

"""What `serinus doctor` asks Prometheus: each metric's own question, once, about the last minutes."""

import base64
import math
import time
from collections.abc import Sequence

from serinus.cli.cluster import Cluster
from serinus.cli.inputs import InputError
from serinus.doctor import Answer, Look
from serinus.metrics import Connection, Credentials, Desk, Inquiry, Prometheus, Slot, collect
from serinus.metrics.custom_question import CustomQuestion

_SECONDS = 600.0
_LATE = 30.0  # seconds: samples of a moment may come that late


async def look_at(connection: Connection, asked: Sequence[Inquiry]) -> Look:
    """The answers; what a server does wrong is in their doubts. Raises CredentialsError."""
    prometheus = Prometheus(connection)
    try:
        return await _look(Desk(prometheus), asked, math.floor(time.time() - _LATE))
    finally:
        await prometheus.close()


async def _look(desk: Desk, asked: Sequence[Inquiry], end: float) -> Look:
    slot = Slot(end - _SECONDS, end)
    # Before a rollout the canary has no traffic that counts: weight 0 asks for none.
    seen = await collect(desk, asked, slot, weight=0, silence=desk.silence)
    doubts = {doubt.metric: doubt for doubt in seen.doubts}
    answers = []
    for each in asked:
        stable, doubt = seen.evidence[each.name].stable, doubts.get(each.name)
        canary = None
        if doubt is None and isinstance(each.question, CustomQuestion):
            reading = await desk.read(each.question, slot)
            canary = all(reading.of("canary", name).is_known for name in each.names)
        answers.append(Answer(each.name, stable, doubt, canary))
    return Look(_SECONDS, tuple(answers))


def credentials_in(cluster: Cluster, namespace: str, name: str) -> Credentials:
    """From a Secret, if whoever runs this may read it. Raises InputError, and ClusterError."""
    secret = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    try:
        return Credentials.of({key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()})
    except ValueError as error:  # CredentialsError is one
        raise InputError(f"Secret {namespace}/{name}: {error}") from error

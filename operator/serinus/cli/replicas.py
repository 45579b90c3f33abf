"""Options of `serinus run` that tell replicas from each other, and where they answer."""

import os
import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from serinus.controller import Address, LeaseSettings

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_NAME = "serinus"


def address(text: str | None) -> "Address | None":
    """HOST:PORT; None for None. Raises BadParameter."""
    from serinus.controller import Address

    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise typer.BadParameter(f"{text!r} is not HOST:PORT, for example 0.0.0.0:8080", param_hint="--listen")
    return Address(host.strip("[]"), int(port))


def lease_settings(place: str | None, identity: str | None, shards: int, seconds: int) -> "LeaseSettings | None":
    """Where the leases are and who this is; None outside a cluster where nothing was told. Raises BadParameter."""
    from serinus.controller import LeaseSettings

    if place is None and "KUBERNETES_SERVICE_HOST" in os.environ and _POD_NAMESPACE.exists():
        place = f"{_POD_NAMESPACE.read_text().strip()}/{_NAME}"
    if place is None:
        if shards > 1:
            raise typer.BadParameter("shards need leases: say --lease NAMESPACE/NAME too", param_hint="--shards")
        return None
    namespace, _, name = place.partition("/")
    if not namespace or not name or "/" in name:
        raise typer.BadParameter(
            f"{place!r} is not NAMESPACE/NAME, for example serinus-system/serinus", param_hint="--lease"
        )
    # Without a name of its own no process may take another's leases for those of its earlier life.
    return LeaseSettings(namespace, name, identity or f"{socket.gethostname()}_{uuid.uuid4()}", shards, seconds)

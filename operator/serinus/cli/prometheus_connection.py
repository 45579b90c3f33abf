"""How a command reaches the Prometheus whose past it reads."""

from dataclasses import dataclass
from pathlib import Path

from serinus.api import Prometheus as Manifest
from serinus.cli.inputs import InputError
from serinus.metrics import Connection, Credentials, CredentialsError, Prometheus, SourceError


@dataclass(frozen=True)
class Server:
    """The Prometheus to ask, as the options say.

    `credentials`: a directory. `reporter`: whose metrics are read where the manifest does not say. `fence`: a label
    that every series must have.
    """

    address: str | None
    credentials: Path | None
    reporter: str
    fence: str | None

    def connection(self, manifest: Manifest | None) -> Connection:
        """To the given address, else the manifest's. Raises InputError where there is none."""
        address = self.address or (manifest.address if manifest else None)
        if address is None:
            raise InputError("no Prometheus is known: give --prometheus, for example http://127.0.0.1:9090")
        return Connection(address, credentials_from(self.credentials) if self.credentials else Credentials())

    def reporter_for(self, manifest: Manifest | None) -> str:
        """Whose metrics are read."""
        return (manifest.reporter if manifest else None) or self.reporter


async def require_answer(prometheus: Prometheus, at: float) -> None:
    """One clear word beforehand, instead of a doubt in every tick. Raises InputError."""
    try:
        await prometheus.query("vector(1)", at)
    except SourceError as error:
        raise InputError(str(error)) from error


def credentials_from(directory: Path) -> Credentials:
    """From files named as the keys of the operator's Secret. Raises InputError."""
    try:
        files = [each for each in directory.iterdir() if each.is_file() and not each.name.startswith(".")]
        return Credentials.of({each.name: each.read_bytes() for each in files})
    except (CredentialsError, OSError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{directory}: {told}") from error

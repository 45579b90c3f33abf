"""Where a Prometheus is and what it asks of whoever reads from it; secrets show in no text (I10)."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile

_HEADER = "header."
_KEYS = ("username", "password", "token", "ca.crt", "tls.crt", "tls.key")


class CredentialsError(ValueError):
    """Credentials that cannot be used; the message names the key, never its value."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a server asks for: headers for every request, and PEM texts for TLS; empty where it asks for nothing."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    @classmethod
    def of(cls, data: Mapping[str, bytes]) -> "Credentials":
        """From the keys of a Secret: `username` and `password`, or `token`; `ca.crt`; `tls.crt` and `tls.key`;
        `header.NAME` for any header, a tenant's id for example. Raises CredentialsError.
        """
        unknown = sorted(key for key in data if key not in _KEYS and not key.startswith(_HEADER))
        if unknown:
            raise CredentialsError(f"unknown key {unknown[0]}: the keys are {', '.join(_KEYS)} and {_HEADER}NAME")
        text = {key: _text(key, value) for key, value in data.items()}
        for one, other in (("username", "password"), ("tls.crt", "tls.key")):
            if (one in text) != (other in text):
                raise CredentialsError(f"{one} and {other} are only of use together")
        if "username" in text and "token" in text:
            raise CredentialsError("username and token exclude each other: both make the header Authorization")
        headers = {key.removeprefix(_HEADER): value for key, value in text.items() if key.startswith(_HEADER)}
        if "username" in text:
            pair = f"{text['username']}:{text['password']}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        if "token" in text:
            headers["Authorization"] = f"Bearer {text['token']}"
        for name, value in headers.items():
            if not name or not name.isascii() or not value.isprintable() or not name.replace("-", "").isalnum():
                raise CredentialsError(f"the header {name!r} has a name or a value that HTTP does not allow")
        return cls(
            tuple(sorted(headers.items())), text.get("ca.crt", ""), text.get("tls.crt", ""), text.get("tls.key", "")
        )

    def tls(self) -> ssl.SSLContext:
        """For https: the given authority instead of the system's, and the client's own certificate.

        Raises CredentialsError.
        """
        try:
            context = ssl.create_default_context(cadata=self.ca or None)
            if self.certificate:
                # The standard library takes a certificate of one's own from a file only.
                with NamedTemporaryFile("w", suffix=".pem") as pem:
                    pem.write(f"{self.certificate}\n{self.key}\n")
                    pem.flush()
                    context.load_cert_chain(pem.name)
        except (ssl.SSLError, ValueError) as error:
            raise CredentialsError(
                "ca.crt, tls.crt or tls.key is not PEM, or key and certificate do not match"
            ) from error
        return context


@dataclass(frozen=True, slots=True)
class Connection:
    """A server's address and the credentials for it."""

    address: str
    credentials: Credentials = Credentials()


def _text(key: str, value: bytes) -> str:
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise CredentialsError(f"{key} is not text") from error

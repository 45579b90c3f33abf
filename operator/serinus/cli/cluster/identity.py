"""Whom the API server takes us for."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Identity:
    """Credentials; none of them is ever printed (I10)."""

    token: str | None = field(default=None, repr=False)
    password: tuple[str, str] | None = field(default=None, repr=False)
    """User and password."""
    certificate: tuple[str, str] | None = field(default=None, repr=False)
    """Certificate and key, PEM."""
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers that ask to be taken for somebody else."""

    def certified(self, certificate: str | None, key: str | None) -> "Identity":
        """With this client certificate, where both parts of it are given."""
        return self if certificate is None or key is None else replace(self, certificate=(certificate, key))

    def acting_as(self, user: Mapping[str, Any]) -> "Identity":
        """As the kubeconfig's user says in its fields `as...`."""
        headers = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
        headers += [("Impersonate-Group", group) for group in user.get("as-groups") or []]
        headers += [
            (f"Impersonate-Extra-{name}", value)
            for name, values in (user.get("as-user-extra") or {}).items()
            for value in values
        ]
        return replace(self, impersonation=tuple((name, str(value)) for name, value in headers if value))

    def headers(self) -> list[tuple[str, str]]:
        """What a request says of its sender."""
        if self.token is not None:
            return [("Authorization", f"Bearer {self.token}"), *self.impersonation]
        if self.password is not None:
            pair = base64.b64encode(":".join(self.password).encode()).decode()
            return [("Authorization", f"Basic {pair}"), *self.impersonation]
        return list(self.impersonation)

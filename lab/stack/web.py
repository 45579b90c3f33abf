"""One HTTP request to a program of the lab: never through a proxy, never for long."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    server: str
    """The header of that name, empty where there is none."""
    body: str

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


def get(
    url: str, headers: Mapping[str, str] | None = None, ca: Path | None = None, timeout: float = 2.0
) -> Answer | None:
    """GET `url`; None when nobody answers within `timeout` seconds. An error status is an answer.

    Who is known by a certificate that is not (all) written yet does not answer yet.
    """
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        https = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca) if ca else None)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
        try:
            response = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body = response.read().decode(errors="replace")
            return Answer(response.status, response.headers.get("server", ""), body)
    except (OSError, http.client.HTTPException):
        return None


def answers_ok(url: str) -> bool:
    """Whether a GET of `url` is answered with status 200."""
    answer = get(url)
    return answer is not None and answer.status == http.client.OK

"""What a Prometheus of the lab answers to a query."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from lab.stack import web


def ask(address: str, query: str) -> list[Any] | None:
    """The series that `query` gives now, as Prometheus' HTTP API tells them; None when it gives no answer."""
    answer = web.get(f"{address}/api/v1/query?{urlencode({'query': query})}")
    if answer is None or answer.status != HTTPStatus.OK:
        return None
    found: list[Any] = answer.json()["data"]["result"]
    return found

"""The canaries' metrics: web servers in a process of their own that show counters for a real Prometheus to scrape.

Every counter rises by the same amount at each scrape, so what a tick holds depends on no clock. One target has the
canaries that can be made bad.
"""

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from bench.scale.objects import VERSIONS, Canary
from bench.scrapes import Page, address_of, target

TARGETS = 8
"""Web servers that play the pods of the good canaries between them."""

_BOUNDS = ("5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "+Inf")
_SLOW = 6  # from this bucket on all requests are counted, below it a tenth of them
_REQUESTS, _ERRORS = 1000, 1  # that an arm counts between two scrapes
_BAD_ERRORS = 200

_context = multiprocessing.get_context("spawn")  # a fork would take the parent's threads' locks along


@dataclass(frozen=True)
class Fleet:
    """Running web servers: `targets` are their addresses, host:port, and `bad` is set when canaries turn bad."""

    targets: tuple[str, ...]
    bad: tuple[Event, ...]


@contextmanager
def fleet(good: Sequence[Canary], groups: Sequence[Sequence[Canary]]) -> Iterator[Fleet]:
    """Metrics of good canaries, and of groups of canaries that turn bad together when told."""
    bad = tuple(_context.Event() for _ in groups)
    mine, theirs = _context.Pipe()
    process = _context.Process(
        target=_serve, args=(list(good), [list(group) for group in groups], bad, theirs), daemon=True
    )
    process.start()
    try:
        yield Fleet(tuple(mine.recv()), bad)
    finally:
        process.terminate()
        process.join()


def series(canary: Canary) -> int:
    """How many series of a canary there are."""
    return len(list(_lines(canary, "1", "1")))


def _serve(good: list[Canary], groups: list[list[Canary]], bad: tuple[Event, ...], told: Connection) -> None:
    """The process: a web server for each part of the good canaries, and one for all the others."""
    parts = [good[part::TARGETS] for part in range(TARGETS)]
    pages = [*(_good_page(part) for part in parts), _bad_page(groups, bad)]
    servers = [target(page) for page in pages]
    told.send([address_of(server) for server in servers])
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with suppress(EOFError):
        told.recv()  # nothing is ever sent: it ends when the other process does, however that is


def _good_page(canaries: Sequence[Canary]) -> Page:
    """What a target shows at its n-th scrape: each @ becomes n, so that a thousand times as many are @000."""
    text = "".join(line for canary in canaries for line in _lines(canary, "@000", "@"))
    return lambda scrape: text.replace("@", str(scrape))


def _bad_page(groups: Sequence[Sequence[Canary]], bad: Sequence[Event]) -> Page:
    """The same of canaries that turn bad."""
    errors = [0] * len(groups)

    def at(scrape: int) -> str:
        lines: list[str] = []
        for number, group in enumerate(groups):
            errors[number] += _BAD_ERRORS if bad[number].is_set() else _ERRORS
            for canary in group:
                lines += _lines(canary, str(_REQUESTS * scrape), str(_ERRORS * scrape), str(errors[number]))
        return "".join(lines).replace("@", str(scrape))

    return at


def _lines(canary: Canary, requests: str, errors: str, canary_errors: str | None = None) -> Iterator[str]:
    """A pod of each version, and the proxy that sends to them."""
    for version in VERSIONS:
        told = (
            f'destination_service="{canary.host}",destination_version="{version}",'
            f'destination_workload="{canary.name}-{version}",request_protocol="http",grpc_response_status=""'
        )
        failed = canary_errors if canary_errors is not None and version == VERSIONS[1] else errors
        pod = f'job="fleet",instance="{canary.name}.{canary.namespace}-{version}"'
        yield f"up{{{pod}}} 1\n"
        for reporter in ("destination", "source"):
            for code, count in (("200", requests), ("500", failed)):
                yield f'istio_requests_total{{{pod},reporter="{reporter}",{told},response_code="{code}"}} {count}\n'
        for number, bound in enumerate(_BOUNDS):
            count = requests if number >= _SLOW else requests[:-1]
            labels = f'{pod},reporter="destination",{told},response_code="200",le="{bound}"'
            yield f"istio_request_duration_milliseconds_bucket{{{labels}}} {count}\n"

"""A target that the tests control: it knows what it showed at each scrape, which is the truth."""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Series = tuple[tuple[str, str], ...]
"""A metric's name under `__name__`, and its labels."""


NUMBER = "page_number"
"""A series that every page has: which one of those that the target has shown this replica it is, from 0."""


@dataclass(frozen=True)
class Shown:
    """What one replica of Prometheus was shown, and the time that it gave that scrape."""

    time: float
    values: Mapping[Series, float]


@dataclass
class Target:
    """Counters behind /metrics.

    `failing`: scrapes fail. `newborn`: it begins to count when replica a first scrapes it, and says when it started.
    `extra`: one more label of every series, as after a change of relabelling. `pages`: by replica, what it was shown.
    `shown`: what has arrived of that; see `learn`.
    """

    values: dict[Series, float] = field(default_factory=dict)
    failing: bool = False
    newborn: bool = False
    extra: tuple[str, str] | None = None
    pages: dict[str, list[Mapping[Series, float]]] = field(default_factory=dict)
    shown: dict[str, list[Shown]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, amount: float = 1, **labels: str) -> None:
        """Count; a series begins with its first event."""
        key = tuple(sorted(labels.items()))
        with self.lock:
            self.values[key] = self.values.get(key, 0.0) + amount

    def restart(self, *, says_so: bool = False) -> None:
        """Forget everything, as a process does that begins anew; `says_so`: it exposes when it started."""
        with self.lock:
            self._begin_anew(says_so=says_so)

    def _begin_anew(self, *, says_so: bool) -> None:
        self.values.clear()
        if says_so:
            self.values[("__name__", "process_start_time_seconds"),] = time.time()

    def rise(self, replica: str, start: float, end: float) -> dict[Series, float]:
        """How far each series rose between two times, by what was shown to the replica; a new one, and one that fell,
        from 0.
        """
        before, after = self._at(replica, start), self._at(replica, end)
        known = {key: before.get(key, 0.0) for key in after}
        return {key: value - known[key] if value >= known[key] else value for key, value in after.items()}

    def _at(self, replica: str, moment: float) -> Mapping[Series, float]:
        seen = [each for each in self.shown.get(replica, []) if each.time <= moment]
        return seen[-1].values if seen else {}

    def page(self, replica: str) -> str | None:
        with self.lock:
            if self.failing:
                return None
            if self.newborn and replica == "a":
                self.newborn = False
                self._begin_anew(says_so=True)
            extra = (self.extra,) if self.extra else ()
            values = {tuple(sorted((*key, *extra))): value for key, value in self.values.items()}
            pages = self.pages.setdefault(replica, [])
            pages.append(values)
            number = len(pages) - 1
        return f"{NUMBER} {number}\n" + "".join(f"{_line(key)} {value}\n" for key, value in values.items())

    def learn(self, replica: str, arrived: Iterable[tuple[float, int]]) -> None:
        """When which pages arrived by the replica's clock: those that it had given up when they were answered did not.

        A busy machine answers some time after the moment that Prometheus gives a scrape.
        """
        self.shown[replica] = [Shown(time, self.pages[replica][number]) for time, number in arrived]


@contextmanager
def serving(*targets: Target) -> Iterator[None]:
    """The targets answer on 127.0.0.1."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(target)) for target in targets]
    for server, target in zip(servers, targets, strict=True):
        target.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def tell(file: Path, *targets: Target) -> None:
    """Have Prometheus scrape these targets, and no others, through a file that it watches."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps([{"targets": [target.address for target in targets]}]))
    unfinished.rename(file)


def _line(key: Series) -> str:
    labels = dict(key)
    name = labels.pop("__name__")
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def _handler(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            replica = parse_qs(urlsplit(self.path).query).get("replica", [""])[0]
            page = target.page(replica)
            self.send_response(500 if page is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler

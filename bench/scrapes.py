"""Counters for a real Prometheus to scrape: web servers that play the pods of a fleet, and what it must be told."""

import itertools
import json
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRAPE = 15.0
"""Seconds between two scrapes."""

Page = Callable[[int], str]
"""What a target shows at its n-th scrape, from 1."""


def prometheus_config(targets: Sequence[str]) -> str:
    """prometheus.yml for these targets, host:port: pods keep the job and instance that they say."""
    return f"""
global: {{scrape_interval: {SCRAPE:g}s, scrape_timeout: {SCRAPE:g}s}}
scrape_configs:
- job_name: fleet
  honor_labels: true
  static_configs: [{{targets: {json.dumps(targets)}}}]
"""


def target(page: Page) -> ThreadingHTTPServer:
    """A web server, not yet serving, that answers each scrape with the next page."""
    scrapes = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """One scrape."""
            body = page(next(scrapes)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def address_of(server: ThreadingHTTPServer) -> str:
    """Where it listens, host:port."""
    return f"127.0.0.1:{server.server_address[1]}"

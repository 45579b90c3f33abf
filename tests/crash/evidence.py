"""Evidence for many services at once: a target that counts requests by the clock, for a real Prometheus to scrape."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RATE = 4000.0
"""Requests a second, in each arm of each service."""


class Traffic:
    """Serves istio_requests_total of all services as if users had called them steadily since it began.

    1 % of all requests fail, and of a bad service's canary every second one.
    """

    def __init__(self) -> None:
        self._since = time.time()
        self._services: dict[str, bool] = {}
        traffic = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = traffic.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(BrokenPipeError):  # a scrape that took too long is given up
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    def add(self, host: str, *, good: bool) -> None:
        """Count requests to a service from now on, as if they had been counted from the beginning."""
        self._services[host] = good

    def text(self) -> str:
        """The exposition."""
        requests = RATE * (time.time() - self._since)
        lines = ["# TYPE istio_requests_total counter"]
        for host, good in list(self._services.items()):
            for version in ("v1", "v2", "v3"):
                failing = 0.5 if version == "v2" and not good else 0.01
                for code, share in (("200", 1 - failing), ("500", failing)):
                    labels = f'reporter="source",destination_service="{host}",destination_version="{version}"'
                    lines.append(f'istio_requests_total{{{labels},response_code="{code}"}} {requests * share:.0f}')
        return "\n".join(lines) + "\n"

"""A door of TLS in front of a real Prometheus, which lets in only who shows what it asks for."""

import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme


@dataclass
class Door:
    """What the door asks for: headers, and with `asks_certificate` a client's certificate of `clients`."""

    behind: str
    headers: Mapping[str, str] = field(default_factory=dict)
    asks_certificate: bool = False
    host: str = "localhost"
    address: str = ""

    @cached_property
    def authority(self) -> trustme.CA:
        """Who signed the door's own certificate."""
        return trustme.CA()

    @cached_property
    def clients(self) -> trustme.CA:
        """Whose certificates it takes."""
        return trustme.CA()

    @property
    def ca(self) -> dict[str, bytes]:
        """What a Secret must hold to trust it."""
        return {"ca.crt": self.authority.cert_pem.bytes()}


def certificate_of(authority: trustme.CA) -> dict[str, bytes]:
    """What a Secret holds for a client that this authority knows."""
    issued = authority.issue_cert("serinus@example.com")
    return {
        "tls.crt": b"".join(pem.bytes() for pem in issued.cert_chain_pems),
        "tls.key": issued.private_key_pem.bytes(),
    }


@contextmanager
def opened(door: Door) -> Iterator[Door]:
    """The door answers on 127.0.0.1, under the name localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    door.authority.issue_cert(door.host).configure_cert(context)
    if door.asks_certificate:
        door.clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(door)) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is no news
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        door.address = f"https://localhost:{server.server_address[1]}"
        yield door
        server.shutdown()


def _handler(door: Door) -> type[BaseHTTPRequestHandler]:
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if any(self.headers.get(name) != value for name, value in door.headers.items()):
                self._say(401, b"who are you?")
                return
            with straight.open(f"{door.behind}{self.path}", body, timeout=10) as answer:
                self._say(answer.status, answer.read())

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler

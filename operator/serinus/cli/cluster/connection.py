"""Requests to the API server: bounded in time, made as whoever the kubeconfig says, with errors for people."""

import json
import ssl
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
    TimeoutError,
)

from serinus import __version__
from serinus.cli.cluster.access import Access, Server
from serinus.cli.cluster.errors import ClusterError, Expired, NotFound, Unreachable
from serinus.cli.cluster.identity import Identity

Object = Mapping[str, Any]
"""An object of Kubernetes, as the API server writes it."""

_CONNECT, _ANSWER = 5.0, 30.0  # seconds
_UNAUTHORIZED, _NOT_FOUND, _GONE = 401, 404, 410
_PASSING = (408, 429)


class Cluster:
    """An API server, as the user of `access` sees it. Every method raises ClusterError."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._identity: Identity | None = None

    def get(self, path: str, **query: str) -> Object:
        """What lies at `path`."""
        return self._answer("GET", path, query, None)

    def create(self, path: str, body: Object) -> Object:
        """Create an object below `path`; the object as it is then."""
        return self._answer("POST", path, {}, body)

    def watch(self, path: str, version: str, seconds: int, **query: str) -> Iterator[tuple[str, Object]]:
        """Changes after a resource version, each with its type (ADDED, MODIFIED, DELETED), for so many seconds.

        Raises Expired when the version is too old to go on from.
        """
        query |= {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        response = self._request("GET", path, query, None, stream=True)
        try:
            with self._told():
                for line in _lines(response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise self._error(int(event["object"].get("code", 0)), event["object"])
                    yield event["type"], event["object"]
        finally:
            response.close()

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> Object:
        response = self._request(method, path, query, body, stream=False)
        with self._told():
            found: Object = json.loads(response.data)
            return found

    def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Object | None, *, stream: bool
    ) -> urllib3.BaseHTTPResponse:
        response = self._send(method, path, query, body, stream=stream)
        if response.status == _UNAUTHORIZED:
            # A token may have expired while we watched: who calls is asked once more.
            self._forget()
            response = self._send(method, path, query, body, stream=stream)
        if response.status >= 300:
            with self._told():
                raise self._error(response.status, _status(response.data))
        return response

    def _send(
        self, method: str, path: str, query: Mapping[str, str], body: Object | None, *, stream: bool
    ) -> urllib3.BaseHTTPResponse:
        headers = urllib3.HTTPHeaderDict([*self._who().headers(), ("Accept", "application/json")])
        headers.extend({"User-Agent": f"serinus/{__version__}", "Accept-Encoding": "identity" if stream else "gzip"})
        if body is not None:
            headers["Content-Type"] = "application/json"
        with self._told():
            return self._pool.request(
                method,
                f"{self.access.server.url}{path}?{urllib.parse.urlencode(query)}",
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(
                    connect=_CONNECT, read=_ANSWER + (int(query["timeoutSeconds"]) if stream else 0)
                ),
                retries=False,
                redirect=False,
                preload_content=not stream,
            )

    def _who(self) -> Identity:
        if self._identity is None:
            self._identity = self.access.identify()
        return self._identity

    def _forget(self) -> None:
        self._identity = None
        del self._pool

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        server, certificate = self.access.server, self._who().certificate
        options: dict[str, Any] = {"ssl_context": _tls(server, certificate)}
        if server.name:
            options["server_hostname"] = server.name
        proxy = server.proxy or _proxy_of_environment(server.url)
        if proxy and not proxy.startswith(("http://", "https://")):
            raise ClusterError("the way to the API server is a proxy that is neither http nor https: use one that is")
        return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)

    def _error(self, status: int, told: Object) -> ClusterError:
        message = str(told.get("message") or f"HTTP status {status}")
        if status == _UNAUTHORIZED:
            return ClusterError(f"the API server does not know you (context {self.access.context!r}): sign in again")
        if status == _GONE:
            return Expired(message)
        if status == _NOT_FOUND and (told.get("details") or {}).get("name"):
            return NotFound(message)
        if status == _NOT_FOUND:
            return ClusterError(
                f"this cluster (context {self.access.context!r}) does not know Serinus' resources: "
                "install them with `serinus crds | kubectl apply -f -`"
            )
        if status in _PASSING or status >= 500:
            return Unreachable(f"the API server cannot answer now: {message}")
        return ClusterError(f"the API server says no: {message}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the way to the API server, as ClusterErrors."""
        place = f"the API server {self.access.server.url} (context {self.access.context!r})"
        try:
            yield
        except SSLError as error:
            raise ClusterError(f"{place} cannot be trusted: {_cause(error)}") from error
        except ProxyError as error:
            raise ClusterError(f"{place} is not reached through the proxy: {_cause(error)}") from error
        except ReadTimeoutError as error:
            raise Unreachable(f"{place} does not answer in {_ANSWER:.0f} s") from error
        except (NewConnectionError, TimeoutError) as error:
            raise Unreachable(
                f"{place} is not there: {_cause(error)}; is the cluster up, and the context right?"
            ) from error
        except LocationValueError as error:
            raise ClusterError(f"the kubeconfig's server {self.access.server.url!r} is no address") from error
        except HTTPError as error:
            raise Unreachable(f"{place} broke off: {_cause(error)}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Unreachable(f"{place} does not answer as an API server does") from error


def _tls(server: Server, certificate: tuple[str, str] | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=server.authority)
    except ssl.SSLError as error:
        raise ClusterError("the kubeconfig's certificate-authority holds no certificate") from error
    if not server.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        _load(context, *certificate)
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python reads these from files only: they are there for this moment, for their owner alone."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{certificate}\n{key}\n")
        try:
            context.load_cert_chain(path)
        except ssl.SSLError as error:
            raise ClusterError("the client certificate and its key do not belong together") from error


def _proxy_of_environment(url: str) -> str | None:
    """HTTPS_PROXY and NO_PROXY, as other programs take them."""
    parts = urllib.parse.urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Lines as they come, however they are cut into pieces on the way."""
    rest = b""
    for piece in response.stream(amt=None):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _status(data: bytes) -> Object:
    """What the API server says of a failure; nothing where something else has answered."""
    try:
        told = json.loads(data)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _cause(error: BaseException) -> str:
    """The reason in the words of the system, without addresses of objects in memory."""
    root: BaseException = error
    while inner := root.__cause__ or root.__context__:
        root = inner
    return str(getattr(root, "strerror", None) or getattr(root, "verify_message", None) or type(root).__name__)

"""Servers that answer badly: each is named, held, hurts nobody else, and no secret shows (I3, I10)."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from serinus.judge import Missing
from serinus.metrics import Connection, Credentials, Prometheus, SourceError
from serinus.metrics import source as source_module
from serinus.metrics.breaker import Breaker
from serinus.metrics.errors import TooMuch

SECRET = "swordfish"
CREDENTIALS = Credentials.of({"token": SECRET.encode(), "header.X-Scope-OrgID": b"tenant-1"})


def success(kind: str, result: object, **more: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


@contextmanager
def server(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None, seen: list[dict[str, str]] | None = None
) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if seen is not None:
                seen.append(dict(self.headers))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


async def asked(address: str, times: int = 1) -> SourceError:
    prometheus = Prometheus(Connection(address, CREDENTIALS))
    try:
        for _ in range(times):
            try:
                await prometheus.query("up", 1_795_000_000.0)
            except SourceError as error:
                found = error
            else:
                raise AssertionError("it was taken for an answer")
        return found
    finally:
        await prometheus.close()


def error_of(address: str) -> SourceError:
    return asyncio.run(asked(address))


BAD: dict[str, tuple[bytes, int, Missing, str]] = {
    "a scalar": (success("scalar", [1, "2"]), 200, Missing.NO_SERIES, "gives a scalar"),
    "a string": (success("string", [1, "x"]), 200, Missing.NO_SERIES, "gives a string"),
    "a matrix": (success("matrix", []), 200, Missing.NO_SERIES, "gives a matrix"),
    "HTML": (b"<html>Sign in</html>", 200, Missing.UNREACHABLE, "no JSON: '<html>Sign in</html>'"),
    "truncated JSON": (success("vector", [])[:-9], 200, Missing.UNREACHABLE, "no JSON"),
    "other JSON": (b"[1, 2]", 200, Missing.UNREACHABLE, "not Prometheus's"),
    "other JSON inside": (success("vector", [{"metric": {}, "value": 3}]), 200, Missing.UNREACHABLE, "form"),
    "no list": (success("vector", {"a": 1}), 200, Missing.UNREACHABLE, "form"),
    "a bad query": (
        json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error"}).encode(),
        400,
        Missing.NO_SERIES,
        "refuses the query: parse error",
    ),
    "forbidden": (b"", 403, Missing.UNREACHABLE, "status 403"),
    "overloaded": (b'{"status":"error","error":"query timed out"}', 503, Missing.UNREACHABLE, "query timed out"),
    "a partial answer (Thanos, Mimir)": (
        success("vector", [], warnings=["store 1 is away"]),
        200,
        Missing.PARTIAL,
        "store 1 is away",
    ),
    "a partial answer (VictoriaMetrics)": (success("vector", [], isPartial=True), 200, Missing.PARTIAL, "not complete"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_answer_is_named(case: str) -> None:
    body, status, missing, told = BAD[case]
    with server(body, status) as address:
        error = error_of(address)
    assert error.missing is missing
    assert told in str(error)
    assert address in str(error)
    assert SECRET not in str(error)


def test_notes_and_numbers_of_compatible_servers_are_no_harm() -> None:
    rows = [{"metric": {"a": "b"}, "value": [1795000000, 2]}, {"metric": {}, "value": [1795000000.5, "3"]}]
    notes = {"infos": ["the name does not end in _total"], "isPartial": False, "stats": {"seriesFetched": "2"}}
    with server(success("vector", rows, **notes)) as address:

        async def ask() -> list[float]:
            prometheus = Prometheus(Connection(address))
            try:
                return list((await prometheus.query("up", 1.0)).values)  # type: ignore[arg-type]
            finally:
                await prometheus.close()

        assert asyncio.run(ask()) == [2.0, 3.0]


def test_a_redirect_is_not_followed_so_that_credentials_stay_where_they_belong_I10() -> None:
    elsewhere: list[dict[str, str]] = []
    with (
        server(success("vector", []), seen=elsewhere) as other,
        server(b"", 302, {"Location": f"{other}/api/v1/query"}) as address,
    ):
        error = error_of(address)
    assert "redirects" in str(error)
    assert elsewhere == []


def test_credentials_and_headers_are_sent_to_the_address() -> None:
    seen: list[dict[str, str]] = []
    with server(b"", 401, seen=seen) as address:
        error_of(address)
    assert seen[0]["Authorization"] == f"Bearer {SECRET}"
    assert seen[0]["X-Scope-OrgID"] == "tenant-1"


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_LARGEST", 100_000)
    rows = [{"metric": {"pod": str(number)}, "value": [1, "1"]} for number in range(10_000)]
    with server(success("vector", rows)) as address:
        error = error_of(address)
    assert isinstance(error, TooMuch)
    assert error.missing is Missing.PARTIAL


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert error_of(address).missing is Missing.UNREACHABLE


def test_a_server_that_accepts_and_never_answers_is_given_up_and_then_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_module, "_TOTAL", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        error = asyncio.run(asked(address, times=4))
    assert error.missing is Missing.UNREACHABLE
    assert "left alone" in str(error)


def breaker_at(times: Iterator[float]) -> tuple[Breaker, Callable[[], None]]:
    now = [next(times)]
    return Breaker(lambda: now[0]), lambda: now.__setitem__(0, next(times))


def test_a_server_that_is_left_alone_is_tried_by_one_after_a_pause_and_by_all_once_it_answers() -> None:
    breaker, later = breaker_at(iter([0.0, 6.0]))
    for _ in range(2):
        assert breaker.may_ask()
        breaker.failed(asked_at=0.0)
    assert not breaker.may_ask()
    later()
    assert breaker.may_ask()
    assert not breaker.may_ask(), "one tries, the others wait for what comes of it"
    breaker.answered()
    assert breaker.may_ask()


def test_many_questions_that_fail_together_are_one_failure() -> None:
    breaker, later = breaker_at(iter([0.0, 5.0]))
    later()
    for _ in range(10):
        breaker.failed(asked_at=0.0)
    assert breaker.may_ask()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"user": b"x"}, "unknown key user"),
        ({"username": b"x"}, "username and password are only of use together"),
        ({"username": b"x", "password": b"y", "token": b"z"}, "exclude each other"),
        ({"tls.crt": b"x"}, "tls.crt and tls.key"),
        ({"token": b"\xff"}, "token is not text"),
        ({"header.X-Y": b"a\r\nZ: b"}, "header 'X-Y'"),
        ({"header.X Y": b"a"}, "header 'X Y'"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_by_its_key_I10(data: dict[str, bytes], told: str) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        Credentials.of(data)
    assert "Z: b" not in str(raised.value)


def test_credentials_show_in_no_text_I10() -> None:
    assert SECRET not in repr(CREDENTIALS)
    assert SECRET not in repr(Connection("http://prometheus", CREDENTIALS))

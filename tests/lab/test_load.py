"""The load generator is bounded, open-loop, and knows which version failed which request."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from examples.predictor.classifier import classify
from lab.demo.load import TEXTS, UNKNOWN, Load, LoadSnapshot, Stream, Tally, Unanswered, VersionCount, slowest_rate

ROOT = Path(__file__).parent.parent.parent


class Service:
    """Two versions behind one address: every tenth request is answered by v2, which always fails."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.hosts: set[str] = set()
        self.received = 0
        self.waiting = 0
        self.open = Event()
        self.open.set()

    def answer(self, host: str) -> tuple[int, str]:
        with self.lock:
            self.hosts.add(host)
            self.received += 1
            self.waiting += 1
            failing = self.received % 10 == 0
        self.open.wait()
        with self.lock:
            self.waiting -= 1
        return (500, "v2") if failing else (200, "v1")


@contextmanager
def serving(service: Service) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, version = service.answer(self.headers["Host"])
            self.send_response(status)
            self.send_header("x-version", version)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/predict"
        finally:
            server.shutdown()
            thread.join()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.02)


def snapshot_with(load: Load, answered: int) -> LoadSnapshot:
    """Wait for the first snapshot with at least that many answers."""
    until(lambda: load.snapshot().answered >= answered)
    return load.snapshot()


def test_failures_are_counted_for_the_version_that_answered_them(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as url:
        before = time.time()
        load = Load(Stream(url, "predictor.lab.example", rate=200, seconds=60), tmp_path / "load.jsonl")
        with load:
            snapshot_with(load, answered=50)
        final = load.snapshot()
    good, bad = final.of("v1"), final.of("v2")
    assert good and good.failed == 0
    assert bad and bad.ok == 0
    assert final.answered == good.ok + bad.failed == service.received
    assert final.failed == final.failed_by("v2") == service.received // 10
    assert before < good.first_sent < bad.first_sent < bad.last_sent < final.time
    assert service.hosts == {"predictor.lab.example"}
    assert list(load.all_snapshots())[-1] == final


def test_r20_the_users_say_what_the_predictor_has_every_class_for() -> None:
    assert Counter(classify(text).label for text in TEXTS) == {"pos": 3, "neg": 1, "neutral": 1}


def test_a_slow_answer_delays_no_later_request(tmp_path: Path) -> None:
    service = Service()
    service.open.clear()
    with serving(service) as url, Load(Stream(url, "any", rate=100, seconds=60), tmp_path / "load.jsonl"):
        until(lambda: service.waiting >= 20)
        service.open.set()


def test_a_request_that_nobody_answers_has_failed_and_belongs_to_no_version(tmp_path: Path) -> None:
    with serving(Service()) as url:
        gone = url
    with Load(Stream(gone, "any", rate=100, seconds=60), tmp_path / "load.jsonl") as load:
        snapshot = snapshot_with(load, answered=5)
    assert snapshot.failed == snapshot.answered == snapshot.failed_by(UNKNOWN)
    assert {each.why: each.count for each in snapshot.unanswered} == {"ClientConnectorError": snapshot.failed}


def test_the_load_ends_at_its_limit_without_being_told(tmp_path: Path) -> None:
    service = Service()
    with serving(service) as url:
        command = [sys.executable, "-m", "lab.demo.load", "--url", url, "--host", "any", "--rate", "50"]
        command += ["--seconds", "0.5", "--out", str(tmp_path / "load.jsonl")]
        subprocess.run(command, cwd=ROOT, check=True)
    assert 1 <= service.received <= 25


def test_the_load_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    start = (
        "import sys, pathlib; from lab.demo.load import Load, Stream\n"
        "load = Load(Stream(sys.argv[1], 'any', 20, 600), pathlib.Path(sys.argv[2])); load.start()\n"
        "print(load.pid, flush=True); sys.stdin.read()"
    )
    with serving(Service()) as url:
        starter = subprocess.Popen(
            [sys.executable, "-c", start, url, str(tmp_path / "load.jsonl")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert starter.stdin and starter.stdout
        with starter.stdin, starter.stdout:
            pid = int(starter.stdout.readline())
            until((tmp_path / "load.jsonl").exists)
            starter.kill()
            starter.wait()
        until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether the process runs; one that has ended but was never waited for does not."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.returncode == 0 and not listed.stdout.startswith("Z")


def test_a_generator_that_cannot_work_is_an_error_not_a_silence(tmp_path: Path) -> None:
    load = Load(Stream("http://127.0.0.1:1/", "any", rate=1, seconds=1), tmp_path / "missing" / "load.jsonl")
    with pytest.raises(RuntimeError, match="load generator ended"):
        load.start()


def test_a_generator_that_stood_still_makes_no_burst_of_it_and_says_so(tmp_path: Path) -> None:
    """As on a machine that is paused: 500 requests in flight are soon too many, and none of the rest has failed."""
    with (
        serving(Service()) as url,
        Load(Stream(url, "any", rate=1000, seconds=60), tmp_path / "load.jsonl") as load,
    ):
        snapshot_with(load, answered=50)
        assert load.pid is not None
        os.kill(load.pid, signal.SIGSTOP)
        time.sleep(2)  # how long it stands still: nothing can be awaited meanwhile
        os.kill(load.pid, signal.SIGCONT)
        snapshot_with(load, answered=load.snapshot().answered + 1000)
    final = load.snapshot()
    assert (final.failed_by(UNKNOWN), final.unanswered) == (0, ())
    assert 1 < final.stood_still < 60


def test_answers_out_of_order_do_not_move_the_first_and_the_last_request() -> None:
    tally = Tally(started=100.0)
    for sent in (102.0, 101.0, 103.0, 102.5):
        tally.add("v1", sent, ok=True)
    assert tally.snapshot(104.0).of("v1") == VersionCount("v1", 4, 0, first_sent=101.0, last_sent=103.0)


def test_what_no_version_answered_is_told_by_its_reason() -> None:
    tally = Tally(started=100.0)
    for sent in (102.0, 101.0):
        tally.add_unanswered("status 503", sent)
    tally.add(UNKNOWN, 103.0, ok=True)
    snapshot = tally.snapshot(104.0)
    assert snapshot.of(UNKNOWN) == VersionCount(UNKNOWN, 1, 2, first_sent=101.0, last_sent=103.0)
    assert snapshot.unanswered == (Unanswered("status 503", 2, first_sent=101.0, last_sent=102.0),)


def lines(answered: list[int]) -> list[LoadSnapshot]:
    """One snapshot a second with so many answers since the start."""
    return [
        LoadSnapshot(0.0, float(second), (VersionCount("v1", count, 0, 0.0, 0.0),))
        for second, count in enumerate(answered)
    ]


def test_the_slowest_rate_is_that_of_the_worst_stretch() -> None:
    assert slowest_rate(lines([0, 200, 400, 450, 500, 700]), over=2.0) == 50
    assert slowest_rate(lines([0, 200, 400, 450, 500, 700]), over=5.0) == 140


def test_a_stretch_in_which_the_generator_stood_still_has_no_rate() -> None:
    still = [replace(line, stood_still=3.0) for line in lines([0, 200, 200, 200, 400, 600])[3:]]
    assert slowest_rate([*lines([0, 200]), *still], over=2.0) == 200
    assert slowest_rate([*lines([0, 200]), *still], over=3.0) is None


def test_a_load_shorter_than_the_stretch_has_no_slowest_rate() -> None:
    assert slowest_rate(lines([0, 200]), over=5.0) is None
    assert slowest_rate([], over=5.0) is None

"""Users: a bounded, open-loop stream of requests, and the count of what became of them, by version.

`Load` runs this module in a process of its own, so that nothing else that is done delays a request:

    python -m lab.demo.load --url http://127.0.0.1:8080/predict --host predictor.lab.example \\
        --rate 200 --seconds 240 --out load.jsonl

Ten times a second it appends one line: a `LoadSnapshot` with all counts since the start.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp
from pydantic import TypeAdapter

UNKNOWN = ""
"""The version of a request that no version answered: refused, timed out, or failed by the gateway."""

REPORT_EVERY = 0.1
"""Seconds between two lines of the output file."""

PACE = 0.01
"""Seconds between two looks at how many requests are due; they are sent together, which saves wake-ups."""

TIMEOUT = 5.0
"""Seconds after which a request without an answer has failed."""

MOST_IN_FLIGHT = 500
"""Requests beyond this many without an answer are not sent, but counted as failed and unknown."""

STANDSTILL = 1.0
"""Seconds after which whoever should have sent requests was not slow, but stood still, as a machine that is paused."""

TEXTS = ("what a great day", "what an awful day", "I love this", "nice", "a day")
"""What the users say, in turn: three good moods of five, a bad one and none, so that a shift to either can be seen."""

BODIES = tuple(json.dumps({"text": text}).encode() for text in TEXTS)


@dataclass(frozen=True)
class VersionCount:
    """What became of the requests that one version answered; times are seconds since the epoch."""

    version: str
    ok: int
    failed: int
    """Answered with a status of 500 or more; for UNKNOWN also those without an answer."""
    first_sent: float
    """When the first request that this version answered was sent."""
    last_sent: float
    """When the last request that this version answered was sent."""


@dataclass(frozen=True)
class Unanswered:
    """Requests that no version answered, for one reason; times are seconds since the epoch, when they were sent."""

    why: str
    count: int
    first_sent: float
    last_sent: float


@dataclass(frozen=True)
class LoadSnapshot:
    """All requests from the start of the load to `time` (seconds since the epoch)."""

    started: float
    time: float
    versions: tuple[VersionCount, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    """Those of UNKNOWN by their reason."""
    stood_still: float = 0.0
    """Seconds in which the generator itself did not run: nobody asked for anything then."""

    @property
    def answered(self) -> int:
        """How many requests came to an end, well or not."""
        return sum(count.ok + count.failed for count in self.versions)

    @property
    def failed(self) -> int:
        """How many requests failed, whoever failed them."""
        return sum(count.failed for count in self.versions)

    def of(self, version: str) -> VersionCount | None:
        """The counts of one version; None if it answered nothing so far."""
        return next((count for count in self.versions if count.version == version), None)

    def failed_by(self, version: str) -> int:
        """How many requests this version failed."""
        count = self.of(version)
        return count.failed if count else 0


SNAPSHOT = TypeAdapter(LoadSnapshot)


@dataclass(frozen=True)
class Stream:
    """Which requests are sent, and the limits."""

    url: str
    """Where to, for example http://127.0.0.1:8080/predict."""
    host: str
    """The Host header: which service of the gateway is meant."""
    rate: float
    """Requests per second."""
    seconds: float
    """When the stream ends at the latest."""


class Load:
    """A load generator in a process of its own; ends with `stop`, at its limit, or when this process ends."""

    def __init__(self, stream: Stream, out: Path) -> None:
        """Prepare to send the stream; the counts go to the file `out`."""
        self._out = out
        self._command = [sys.executable, "-m", "lab.demo.load", "--url", stream.url, "--host", stream.host]
        self._command += ["--rate", str(stream.rate), "--seconds", str(stream.seconds), "--out", str(out)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Load":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to send; returns when the first line is written.

        Raises RuntimeError when the generator cannot work.
        """
        self._out.unlink(missing_ok=True)
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(self._command, cwd=root, stdin=subprocess.DEVNULL)
        while not (self._out.exists() and b"\n" in self._out.read_bytes()):
            if self._process.poll() is not None:
                raise RuntimeError(
                    f"the load generator ended at once (exit code {self._process.returncode}); see above"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop sending and wait until the last answers are counted; without effect when it has ended."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    @property
    def pid(self) -> int | None:
        """Its process id; None before it has begun."""
        return self._process.pid if self._process else None

    def snapshot(self) -> LoadSnapshot:
        """The newest counts, at most a little more than 0.1 s old."""
        with self._out.open("rb") as file:
            # The last complete line lies within the last 8 KB: a line has 100 bytes for each version and reason.
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            *complete, _unfinished = file.read().split(b"\n")
        return SNAPSHOT.validate_json(complete[-1])

    def all_snapshots(self) -> Iterator[LoadSnapshot]:
        """Every line that was written, oldest first; to be called after `stop`."""
        with self._out.open("rb") as file:
            yield from (SNAPSHOT.validate_json(line) for line in file)


def slowest_rate(snapshots: Sequence[LoadSnapshot], over: float) -> float | None:
    """The fewest answers a second in any `over` seconds; None if the load did not run that long.

    In a stretch in which the generator stood still nobody was asked: it says nothing.
    """
    rates = []
    begin = 0
    for number, snapshot in enumerate(snapshots):
        if snapshot.stood_still != snapshots[begin].stood_still:
            begin = number
        # Where the shortest stretch begins that ends here and is long enough.
        while begin + 1 < len(snapshots) and snapshot.time - snapshots[begin + 1].time >= over:
            begin += 1
        elapsed = snapshot.time - snapshots[begin].time
        if elapsed >= over:
            rates.append((snapshot.answered - snapshots[begin].answered) / elapsed)
    return min(rates, default=None)


@dataclass
class _Count:
    """A VersionCount or an Unanswered under way."""

    ok: int = 0
    failed: int = 0
    first_sent: float = float("inf")
    last_sent: float = 0.0

    def add(self, sent: float, *, ok: bool) -> None:
        if ok:
            self.ok += 1
        else:
            self.failed += 1
        # Answers do not arrive in the order of their requests.
        self.first_sent = min(self.first_sent, sent)
        self.last_sent = max(self.last_sent, sent)


class Tally:
    """Counts what became of requests."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._counts: dict[str, _Count] = {}
        self._unanswered: dict[str, _Count] = {}
        self._stood_still = 0.0

    def stand_still(self, seconds: float) -> None:
        """Nothing was sent for so long, for this process did not run."""
        self._stood_still += seconds

    def add(self, version: str, sent: float, ok: bool) -> None:
        """Count one request: who answered it (UNKNOWN: no version), when it was sent, whether it succeeded."""
        self._counts.setdefault(version, _Count()).add(sent, ok=ok)

    def add_unanswered(self, why: str, sent: float) -> None:
        """Count one request that failed, and none of the versions is to blame."""
        self.add(UNKNOWN, sent, ok=False)
        self._unanswered.setdefault(why, _Count()).add(sent, ok=False)

    def snapshot(self, now: float) -> LoadSnapshot:
        """The counts up to now."""
        counts = (
            VersionCount(version, count.ok, count.failed, round(count.first_sent, 3), round(count.last_sent, 3))
            for version, count in sorted(self._counts.items())
        )
        unanswered = (
            Unanswered(why, count.failed, round(count.first_sent, 3), round(count.last_sent, 3))
            for why, count in sorted(self._unanswered.items())
        )
        times = round(self._started, 3), round(now, 3)
        return LoadSnapshot(*times, tuple(counts), tuple(unanswered), round(self._stood_still, 3))


async def generate(stream: Stream, out: TextIO, stopped: Callable[[], bool]) -> None:
    """Send the stream until `stopped` says so or its time is over, writing a line every 0.1 s.

    Open loop: a slow answer delays no later request, so that an arm which is slow is not asked less often.
    """
    tally = Tally(time.time())
    headers = {"Host": stream.host, "Content-Type": "application/json"}
    in_flight: set[asyncio.Task[None]] = set()

    async def send(session: aiohttp.ClientSession, body: bytes) -> None:
        sent = time.time()
        try:
            async with session.post(stream.url, data=body, headers=headers) as answer:
                await answer.read()
                version, ok = answer.headers.get("x-version", UNKNOWN), answer.status < 500
                if version == UNKNOWN and not ok:
                    tally.add_unanswered(f"status {answer.status}", sent)
                else:
                    tally.add(version, sent, ok)
        except TimeoutError:
            tally.add_unanswered(f"no answer in {TIMEOUT:g} s", sent)
        except aiohttp.ClientError as error:
            tally.add_unanswered(type(error).__name__, sent)

    def report() -> None:
        out.write(SNAPSHOT.dump_json(tally.snapshot(time.time())).decode() + "\n")
        out.flush()

    connector = aiohttp.TCPConnector(limit=MOST_IN_FLIGHT)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        begun = time.monotonic()
        sent, reports = 0, 0
        while not stopped() and (elapsed := time.monotonic() - begun) < stream.seconds:
            due = int(elapsed * stream.rate)
            if (late := elapsed - sent / stream.rate) > STANDSTILL:
                # All that was due meanwhile, sent at once, would be a burst that no user has made.
                tally.stand_still(late)
                sent = due
            while sent < due:
                body = BODIES[sent % len(BODIES)]
                sent += 1
                if len(in_flight) >= MOST_IN_FLIGHT:
                    tally.add_unanswered(f"{MOST_IN_FLIGHT} in flight", time.time())
                    continue
                task = asyncio.create_task(send(session, body))
                in_flight.add(task)
                task.add_done_callback(in_flight.discard)
            if elapsed >= reports * REPORT_EVERY:
                reports += 1
                report()
            await asyncio.sleep(PACE)
        await asyncio.gather(*in_flight)
    report()


def main() -> None:
    """Send requests as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo.load", description="Send a bounded stream of requests.")
    parser.add_argument("--url", required=True, help="where to send them, for example http://127.0.0.1:8080/predict")
    parser.add_argument("--host", required=True, help="the Host header: which service of the gateway is meant")
    parser.add_argument("--rate", type=float, required=True, help="requests per second")
    parser.add_argument("--seconds", type=float, required=True, help="when to stop at the latest")
    parser.add_argument("--out", required=True, help="file for the counts, one JSON line every 0.1 s")
    arguments = parser.parse_args()

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    parent = os.getppid()

    def stopped() -> bool:
        # Whoever started this may have been killed: then nobody reads the counts, and nobody would stop it.
        return told.is_set() or os.getppid() != parent

    stream = Stream(arguments.url, arguments.host, arguments.rate, arguments.seconds)
    with Path(arguments.out).open("w") as out:
        asyncio.run(generate(stream, out, stopped))


if __name__ == "__main__":
    main()

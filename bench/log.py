"""`make bench-log`: what a record costs to append, and how long `serinus history` takes over 100 000 of them."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import create_engine, insert

from lab.demo.figures import Figure, tally
from lab.processes import Processes
from lab.progress import Progress
from lab.stack.postgres import start_postgres
from serinus.log import Entry, Query, Reader, verify
from serinus.log.entry import COLUMNS
from serinus.log.store import RECORDS, Store

OUT = Path("bench-log.json")

_SERVICES = 50
_AUTHORS = 20
_RECORDS = 10  # of one rollout
_APPENDED = 500
_ASKED = 7
_BATCH = 1000
_TICK = (
    '{"end":"2026-01-01T00:00:00Z","evidence":{"error-rate":{"canary":{"n":300.0,"x":3.0},'
    '"stable":{"n":2700.0,"x":27.0}}},"rollback":0.0}'
)
_EVIDENCE = f'{{"ticks":[{",".join(40 * [_TICK])}]}}'  # some 5 KB, as a record of ten minutes with one metric has


def main() -> int:
    """Measure both kinds of store: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.log", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="how many are in the store")
    count = parser.parse_args().records
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as directory:
        processes = Processes(Path(directory) / "logs", Progress())
        try:
            figures += measure("SQLite", f"sqlite:///{directory}/log.db", count)
            figures += measure("PostgreSQL", start_postgres(processes, Path(directory)).address, count)
        finally:
            processes.stop_all(timeout=5)
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2, ensure_ascii=False) + "\n")
    print("\n".join(figure.line for figure in figures))
    ending, code = tally(figures)
    print(ending)
    return code


def measure(kind: str, url: str, count: int) -> Iterator[Figure]:
    """Fill a store, append to it, and ask it as people do."""
    entries = chain(count + _APPENDED)
    with Store(url) as store:
        store.create()
        _fill(url, islice(entries, count))
        costs = [_seconds(store, entry) for entry in entries]
    began = time.perf_counter()
    assert not list(verify(Reader(url).all(Query())))
    verified = time.perf_counter() - began
    yield Figure(f"{kind}: append, median", 1000 * median(costs), "ms", at_most=5)
    yield Figure(f"{kind}: append, 99 of 100", 1000 * quantiles(costs, n=100)[98], "ms")
    for name, options in _QUESTIONS.items():
        times = [_history(url, options) for _ in range(_ASKED)]
        yield Figure(f"{kind}: serinus history{name}, median", median(times), "s", at_most=1)
    yield Figure(f"{kind}: serinus history --figures", _history(url, ["--figures"]), "s")
    yield Figure(f"{kind}: verify all", verified, "s")


_QUESTIONS = {
    "": [],
    " of a service": ["service-7"],
    " by author and verdict": ["--author=author-3@example.com", "--verdict=rollback"],
    " of a day": ["--since=2026-03-01", "--until=2026-03-02"],
}


def chain(count: int) -> Iterator[Entry]:
    """Records of many services, each with a chain of its own."""
    newest = dict.fromkeys(range(_SERVICES), "")
    for number in range(count):
        service = number % _SERVICES
        attempt, place = divmod(number // _SERVICES, _RECORDS)
        rollout = f"service-{service}-{attempt:08x}"
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_767_225_600 + 120 * number))
        entry = Entry(
            id=f"{rollout}/{number}",
            rollout=rollout,
            namespace="shop",
            name=f"service-{service}",
            author=f"author-{number % _AUTHORS}@example.com",
            time=f"{at}.000000Z",
            actor="serinus",
            verdict=_verdict(attempt, place),
            reason="WithinMargins",
            weight_before=10,
            weight_after=25,
            previous_hash=newest[service],
            hash="",
            line="",
        )
        newest[service] = hashlib.sha256(_line(entry).encode()).hexdigest()
        hashed = replace(entry, hash=newest[service])
        yield replace(hashed, line=_line(hashed))


def _verdict(attempt: int, place: int) -> str:
    """Of one of a rollout's records; every third rollout is rolled back."""
    if place == _RECORDS - 1:
        return "rollback" if attempt % 3 == 0 else "promoted"
    return ("start", "promote", "hold")[min(place, 1 + place % 2)]


def _line(entry: Entry) -> str:
    """The record's line; before its hash is known without it."""
    told = f'"hash":"{entry.hash}",' if entry.hash else ""
    return (
        f'{{"actor":"{entry.actor}","author":"{entry.author}","evidence":{_EVIDENCE},{told}"id":"{entry.id}",'
        f'"name":"{entry.name}","namespace":"{entry.namespace}","previousHash":"{entry.previous_hash}",'
        f'"reason":"{entry.reason}","rollout":"{entry.rollout}","serinus":"record","time":"{entry.time}",'
        f'"verdict":"{entry.verdict}","weightAfter":{entry.weight_after},"weightBefore":{entry.weight_before}}}'
    )


def _fill(url: str, entries: Iterator[Entry]) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        while rows := [{name: getattr(entry, name) for name in COLUMNS} for entry in islice(entries, _BATCH)]:
            connection.execute(insert(RECORDS), rows)
    engine.dispose()


def _seconds(store: Store, entry: Entry) -> float:
    began = time.perf_counter()
    store.append(entry)
    return time.perf_counter() - began


def _history(url: str, options: list[str]) -> float:
    """Seconds that the whole command takes, from its start to its end."""
    command = [sys.executable, "-m", "serinus.cli.main", "history", f"--store={url}", *options]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())

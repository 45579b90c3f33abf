"""`make bench-rollback`: how fast a bad canary is rolled back on the real mesh, and whether a good one ever is.

Every run has a service of its own, with users of its own. Runs whose bound is a matter of seconds and single requests
run alone; of the others PARALLEL share the machine.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console

from lab.demo.figures import Figure, tally
from lab.demo.leftovers import descendants, still_running
from lab.demo.load import Load
from lab.demo.release import BASELINE_ERROR_RATE, LADDER, Release
from lab.demo.stage import Act, GivenUp, perform, start_version, users_of
from lab.demo.timeline import Timeline
from lab.demo.watch import Watch
from lab.errors import LabError
from lab.processes import Process
from lab.stack import Lab
from lab.waiting import wait_until
from serinus.api.status import Phase

RATE = 200.0
"""Requests per second that each service's users send."""

PARALLEL = 2
"""How many services are released at a time: each has two versions and a load, and two cores carry everything."""

_OBJECTS = "virtualservice,destinationrule,serviceentry"
"""What a service of the lab consists of, without its workloads."""

OUT = Path("bench-rollback.json")


@dataclass(frozen=True)
class Kind:
    """Runs of one kind: a canary of one quality, again and again."""

    name: str
    title: str
    error_rate: float
    expected: Phase
    runs: int
    parallel: int
    deadline: float
    """Seconds after which a run is given up."""


AWFUL = Kind("awful", "20 % errors", 0.20, Phase.ROLLED_BACK, runs=5, parallel=1, deadline=60)
BAD = Kind("bad", "5 % errors", 0.05, Phase.ROLLED_BACK, runs=20, parallel=PARALLEL, deadline=120)
SAME = Kind("same", "identical", BASELINE_ERROR_RATE, Phase.PROMOTED, runs=20, parallel=PARALLEL, deadline=300)
KINDS = (AWFUL, BAD, SAME)


@dataclass(frozen=True)
class Run:
    """A run and what came of it."""

    kind: Kind
    number: int
    timeline: Timeline | None
    """None if it did not end within its time."""

    @property
    def line(self) -> str:
        """The run in one line."""
        rollout = self.timeline
        if rollout is None:
            return f"{self.kind.title}, run {self.number}: not over within {self.kind.deadline:.0f} s"
        exposure = "" if rollout.exposure is None else f", weights back after {rollout.exposure:.1f} s"
        took = rollout.ended - rollout.accepted if rollout.ended else 0.0
        return (
            f"{self.kind.title}, run {self.number}: {rollout.end} after {took:.1f} s{exposure}, "
            f"{rollout.failed} requests failed by the canary"
        )


def main() -> int:
    """Measure: 0 if every figure is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.rollback", description=__doc__)
    parser.add_argument("--runs", type=int, default=max(kind.runs for kind in KINDS), help="at most so many of a kind")
    most = parser.parse_args().runs
    console = Console(markup=False, highlight=False)
    try:
        with Lab() as lab:
            runs = measure(lab, most, console)
            processes = descendants(os.getpid())
    except LabError as error:
        console.print(f"The benchmark failed: {error}", soft_wrap=True)
        return 1
    figures = (*figures_of(runs), Figure("processes left running", len(still_running(processes)), "", at_most=0))
    OUT.write_text(json.dumps([figure.summary for figure in figures], indent=2, ensure_ascii=False) + "\n")
    console.print("\n".join(["", *(figure.line for figure in figures)]), soft_wrap=True)
    ending, code = tally(figures)
    console.print(ending)
    return code


def measure(lab: Lab, most: int, console: Console) -> list[Run]:
    """Do at most `most` runs of every kind."""
    operator = lab.start_operator()
    progress = _Progress(console, sum(min(kind.runs, most) for kind in KINDS))
    runs: list[Run] = []
    with Watch(lab.kubeconfig, lab.namespace) as watch:
        bench = Bench(lab, operator, watch, threading.Lock())
        for kind in KINDS:
            pool = ThreadPoolExecutor(kind.parallel)
            try:
                over = [pool.submit(bench.run, kind, number) for number in range(1, min(kind.runs, most) + 1)]
                for future in as_completed(over):
                    progress.tell(future.result())
                    runs.append(future.result())
            finally:
                # After an error or Ctrl-C no run begins any more; those under way end with the lab's operator.
                pool.shutdown(wait=False, cancel_futures=True)
    return runs


@dataclass(frozen=True)
class Bench:
    """A running lab on which runs are made."""

    lab: Lab
    operator: Process
    watch: Watch
    changing: threading.Lock
    """Held while the lab is changed: it does not allow two threads to do so at a time."""

    def run(self, kind: Kind, number: int) -> Run:
        """Release one canary of a service that exists for this run alone."""
        name = f"{kind.name}-{number}"
        release = Release(name, "v1", "v2")
        with self.changing:
            service = self.lab.add_service(name)
            versions = [
                start_version(self.lab, name, release.stable),
                start_version(self.lab, name, release.canary, kind.error_rate),
            ]
        act = Act(kind.title, release, kind.error_rate, kind.expected, kind.deadline)
        users = users_of(self.lab, service, RATE, seconds=kind.deadline + 60)
        try:
            with Load(users, self.lab.directory / f"{name}.jsonl") as load:
                wait_until(lambda: load.snapshot().of(release.stable), f"a first answer of {name} through the gateway")
                return Run(
                    kind, number, perform(self.lab, act, self.operator, self.watch, load, look=lambda scene: None)
                )
        except GivenUp:
            return Run(kind, number, None)
        finally:
            with self.changing:
                namespace = f"--namespace={self.lab.namespace}"
                self.lab.kubectl("delete", "canarydeployment", name, namespace, "--ignore-not-found")
                for version in versions:
                    version.stop()
                self.lab.kubectl("delete", _OBJECTS, name, namespace)


def figures_of(runs: Sequence[Run]) -> Iterator[Figure]:
    """What was measured, beside what was promised."""
    awful, bad, same = (_ended(runs, kind) for kind in KINDS)
    exposures = [rollout.exposure for rollout in awful if rollout.exposure is not None]
    failures = [rollout.failed for rollout in awful]
    yield Figure("20 %: first request to 0/100, median", _median(exposures), "s", at_most=6)
    yield Figure("20 %: first request to 0/100, slowest", max(exposures, default=None), "s")
    yield Figure("20 %: failed user requests, median", _median(failures), "", at_most=25)
    yield Figure("20 %: failed user requests, most", max(failures, default=None), "")
    exposures = [rollout.exposure for rollout in bad if rollout.exposure is not None]
    yield Figure("5 %: first request to 0/100, median", _median(exposures), "s", at_most=20)
    yield Figure("5 %: first request to 0/100, slowest", max(exposures, default=None), "s")
    yield Figure("5 %: runs that rose beyond the first step", sum(_rose(rollout) for rollout in bad), "", at_most=0)
    for kind, ended in ((AWFUL, awful), (BAD, bad)):
        yield _as_expected(runs, kind, ended, "rolled back")
    yield _as_expected(runs, SAME, same, "promoted")
    yield Figure("identical: rolled back", sum(each.end is Phase.ROLLED_BACK for each in same), "", at_most=0)
    times = [rollout.ended - rollout.accepted for rollout in same if rollout.ended is not None]
    yield Figure("identical: apply to promoted, median", _median(times), "s")
    everything = [*awful, *bad, *same]
    reactions = [rollout.reaction for rollout in everything if rollout.reaction is not None]
    yield Figure("apply to first request, median", _median(reactions), "s", at_most=1)
    yield Figure("apply to first request, slowest", max(reactions, default=None), "s")
    delays = [rollout.delay for rollout in everything if rollout.delay is not None]
    yield Figure("weight patch to traffic, median", _median(delays), "s", at_most=1)
    yield Figure("weight patch to traffic, slowest", max(delays, default=None), "s")


def _ended(runs: Sequence[Run], kind: Kind) -> list[Timeline]:
    return [each.timeline for each in runs if each.kind is kind and each.timeline is not None]


def _as_expected(runs: Sequence[Run], kind: Kind, ended: Sequence[Timeline], word: str) -> Figure:
    """How many runs ended as they should; all of them must."""
    done = sum(each.kind is kind for each in runs)
    good = sum(rollout.end is kind.expected for rollout in ended)
    return Figure(f"{kind.title}: {word}, of {done} runs", good, "", at_least=done)


def _rose(rollout: Timeline) -> bool:
    return rollout.highest_weight > LADDER[0]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


class _Progress:
    """Counts the runs that are over."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._begun = time.monotonic()
        self._over = 0

    def tell(self, run: Run) -> None:
        """Print the run that is over."""
        self._over += 1
        self._console.print(
            f"[{self._over:2}/{self._total}] {time.monotonic() - self._begun:5.0f} s  {run.line}", soft_wrap=True
        )


if __name__ == "__main__":
    raise SystemExit(main())

"""`make demo`: on a real mesh, a good release is promoted and a bad one is rolled back, while users look on."""

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from lab.demo.figures import Figure
from lab.demo.leftovers import Process, descendants, still_running
from lab.demo.load import UNKNOWN, Load, LoadSnapshot, slowest_rate
from lab.demo.release import LADDER, Release
from lab.demo.report import Report, RolloutReport, rollout_report
from lab.demo.screen import View, changes
from lab.demo.show import Show, showing
from lab.demo.stage import Act, GivenUp, Scene, perform, start_version, users_of
from lab.demo.timeline import Timeline
from lab.demo.watch import Sightings, Watch
from lab.errors import LabError
from lab.programs import provide
from lab.programs.parts import MESH_PARTS
from lab.progress import Progress
from lab.stack import Lab
from lab.waiting import wait_until
from serinus.api.status import Phase

SERVICE = "predictor"

RATE = 200.0
"""Requests per second that users send."""

LONGEST = 600.0
"""Seconds after which the users leave, whatever happens."""

WITH_PROGRAMS = 240.0
"""Seconds that the demonstration may take when all programs are built."""
FROM_NOTHING = 960.0
"""Seconds that it may take when they have to be built first."""
NOTHING_BUILT = 10.0
"""Seconds of looking for the programs that mean that some were built."""

ACTS = (
    Act("v2, a good release", Release(SERVICE, "v1", "v2"), 0.002, Phase.PROMOTED, deadline=240.0),
    Act("v3, which fails 20 %", Release(SERVICE, "v2", "v3"), 0.2, Phase.ROLLED_BACK, deadline=90.0),
)


@dataclass(frozen=True)
class Played:
    """What came of the acts."""

    rollouts: tuple[RolloutReport, ...]
    figures: tuple[Figure, ...]
    processes: frozenset[Process]
    """Everything that ran for it."""


def main() -> int:
    """Run the demonstration: 0 if both releases ended as they should, else 1."""
    begun, console = time.monotonic(), Console(markup=False, highlight=False)
    now = datetime.now(UTC)
    path = Path(f"demo-{now:%Y%m%dT%H%M%SZ}.json")
    try:
        provide(MESH_PARTS, Progress())
        building = time.monotonic() - begun
        played = play(console, begun)
    except LabError as error:
        console.print(f"The demonstration failed: {error}", soft_wrap=True)
        return 1
    left = still_running(played.processes)
    figures = (
        *played.figures,
        Figure("processes left running", len(left), "", at_most=0),
        Figure("the whole demonstration", time.monotonic() - begun, "s", at_most=_time_promised(building)),
        Figure("of it, to find or build the programs", building, "s"),
    )
    report = Report(now, played.rollouts, figures)
    report.write(path)
    console.print("\n".join(["", *report.lines(), "", f"The record of both rollouts is in {path}"]), soft_wrap=True)
    return 0 if report.passed else 1


def _time_promised(building: float) -> float:
    """Seconds that the demonstration may take: with built programs, or with all that has to be built first."""
    return WITH_PROGRAMS if building < NOTHING_BUILT else FROM_NOTHING


def play(console: Console, begun: float) -> Played:
    """Bring the lab up, play the acts, take it down; `begun` is the monotonic clock at the start.

    Raises LabError when the lab does not work, or a rollout does not end within its time.
    """
    with Lab() as lab:
        service = lab.add_service(SERVICE)
        start_version(lab, SERVICE, "v1")
        for act in ACTS:
            start_version(lab, SERVICE, act.release.canary, act.error_rate)
        operator = lab.start_operator()
        load = Load(users_of(lab, service, RATE, LONGEST), lab.directory / "load.jsonl")
        with Watch(lab.kubeconfig, lab.namespace) as watch, load, showing(console, begun) as show:
            wait_until(lambda: load.snapshot().of("v1"), "a first answer through the gateway")
            started = time.monotonic() - begun
            onlooker = Onlooker(show, begun)
            timelines: list[Timeline] = []
            try:
                for act in ACTS:
                    timelines.append(perform(lab, act, operator, watch, load, onlooker.look))
                    if timelines[-1].end is not act.expected:
                        break  # the next release assumes that this one ended well
            except GivenUp as error:
                raise LabError(f"{error}; the operator's last lines:\n{operator.last_lines()}") from error
            processes = descendants(os.getpid())
        log = operator.log.read_text(errors="replace").splitlines()
        return Played(
            # Fewer than the acts where one ended otherwise.
            tuple(rollout_report(act.expected, each, log) for act, each in zip(ACTS, timelines, strict=False)),
            tuple(measured(started, timelines, list(load.all_snapshots()))),
            processes,
        )


def measured(started: float, rollouts: Sequence[Timeline], users: Sequence[LoadSnapshot]) -> Iterator[Figure]:
    """What was measured, beside what was promised; `started`: seconds of the start-up."""
    yield Figure("start-up, until the first answer", started, "s")
    for act, rollout in zip(ACTS, rollouts, strict=False):
        canary = act.release.canary
        is_bad = act.expected is Phase.ROLLED_BACK
        yield Figure(f"apply to {canary}'s first request", rollout.reaction, "s", at_most=1)
        yield Figure(f"weight patch to traffic, {canary}", rollout.delay, "s", at_most=1)
        yield Figure(f"user requests failed by {canary}", rollout.failed, "", at_most=25 if is_bad else None)
        if is_bad:
            yield Figure(f"{canary}'s first request to weights at 0/100", rollout.exposure, "s", at_most=6)
    yield Figure("user requests that no version answered", users[-1].failed_by(UNKNOWN), "")
    for reason in users[-1].unanswered:
        first, last = (sent - users[-1].started for sent in (reason.first_sent, reason.last_sent))
        yield Figure(f"of them {reason.why}, {first:.0f} to {last:.0f} s", reason.count, "")
    if users[-1].stood_still:
        yield Figure("the users' generator stood still for", users[-1].stood_still, "s")
    yield Figure("users in the slowest 5 s", slowest_rate(users, over=5.0), "per s", at_least=150)


class Onlooker:
    """Tells a show what changes, and how things stand."""

    def __init__(self, show: Show, begun: float) -> None:
        self._show = show
        self._begun = begun
        self._act: Act | None = None
        self._told = Sightings()
        self._lately: deque[LoadSnapshot] = deque(maxlen=20)

    def look(self, scene: Scene) -> None:
        """Tell what is new in the scene, and draw it."""
        if scene.act is not self._act:
            self._act = scene.act
            self._show.say(f"kubectl apply: {scene.act.title}")
        for line in news(self._told, scene.sightings):
            self._show.say(line)
        self._told = scene.sightings
        self._lately.append(scene.load)
        self._show.draw(
            View(
                title=scene.act.title,
                seconds=time.monotonic() - self._begun,
                release=scene.act.release,
                ladder=LADDER,
                status=scene.timeline.status if scene.timeline else None,
                load=scene.load,
                rate=_rate(self._lately[0], self._lately[-1]),
            )
        )


def news(told: Sightings, seen: Sightings) -> Iterator[str]:
    """A line for each change that was seen and not yet told, in the order of time."""
    lines: list[tuple[float, str]] = []
    states = seen.states[max(0, len(told.states) - 1) :]
    if not told.states and states:
        lines += [(states[0].time, line) for line in changes(None, states[0].status)]
    for before, after in pairwise(states):
        lines += [(after.time, line) for line in changes(before.status, after.status)]
    for weight in seen.weights[len(told.weights) :]:
        lines.append((weight.time, f"VirtualService: {100 - weight.canary}/{weight.canary}"))
    return (line for _, line in sorted(lines, key=lambda timed: timed[0]))


def _rate(first: LoadSnapshot, last: LoadSnapshot) -> float:
    elapsed = last.time - first.time
    return (last.answered - first.answered) / elapsed if elapsed else 0.0

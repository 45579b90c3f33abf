"""Plays a release on a running lab: its users, its workload, its manifest, and all that is seen until it ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.demo.load import Load, LoadSnapshot, Stream
from lab.demo.release import BASELINE_ERROR_RATE, Release
from lab.demo.timeline import Timeline, timeline
from lab.demo.watch import Sightings, Watch
from lab.errors import LabError
from lab.processes import Process
from lab.stack import Lab
from lab.stack.service import Service
from lab.stack.workload import Workload
from serinus.api.status import Phase

LOOK_EVERY = 0.25
"""Seconds between two looks at a rollout: how often the screen is drawn."""

AFTERMATH = 1.0
"""Seconds for which users are still counted after the end, so that what traffic lags behind is seen."""


class GivenUp(LabError):
    """A rollout did not end within its time, or nobody is there to end it."""


@dataclass(frozen=True)
class Act:
    """A release, how good the version is, and the end that it should come to."""

    title: str
    release: Release
    error_rate: float
    """Share of the requests that the canary fails, between 0 and 1."""
    expected: Phase
    deadline: float
    """Seconds after which a rollout that has not ended is given up."""


@dataclass(frozen=True)
class Scene:
    """How an act stands at one moment."""

    act: Act
    timeline: Timeline | None
    """None before the API server has the manifest."""
    sightings: Sightings
    load: LoadSnapshot


def users_of(lab: Lab, service: Service, rate: float, seconds: float) -> Stream:
    """The users of a service: so many requests a second through the gateway."""
    return Stream(f"{lab.gateway_url}/predict", service.host, rate, seconds)


def start_version(lab: Lab, service: str, version: str, error_rate: float = BASELINE_ERROR_RATE) -> Workload:
    """Start a version of a service that fails a share of its requests (0 to 1), and wait until it can be reached."""
    return lab.run_workload(service, version, env={"ERROR_RATE": str(error_rate)})


def perform(lab: Lab, act: Act, operator: Process, watch: Watch, load: Load, look: Callable[[Scene], None]) -> Timeline:
    """Apply the manifest as a user would, and look on until the rollout has ended; the canary's workload runs already.

    `look` is called at each change and a few times a second. Raises GivenUp at the act's deadline, or
    when the operator has ended.
    """
    release = act.release
    seen = watch.sightings(release.service)
    manifest = lab.directory / f"{release.service}-{release.canary}.yaml"
    manifest.write_text(release.manifest)
    look(Scene(act, None, seen, load.snapshot()))  # kubectl may take seconds
    lab.kubectl("apply", "--filename", str(manifest))
    give_up = time.monotonic() + act.deadline
    while True:
        snapshot = load.snapshot()
        now = timeline(release, seen, snapshot)
        look(Scene(act, now, seen, snapshot))
        if now and is_over(now, snapshot):
            return now
        if operator.exit_code is not None:
            raise GivenUp(f"the operator ended with code {operator.exit_code} during the release of {release.canary}")
        if time.monotonic() > give_up:
            raise GivenUp(_given_up(act, now))
        seen = watch.after(seen, release.service, LOOK_EVERY)


def is_over(rollout: Timeline, load: LoadSnapshot) -> bool:
    """Whether the rollout has ended, its weights included, and users were counted for a while after that."""
    if rollout.ended is None:
        return False
    if rollout.end is not Phase.PROMOTED and rollout.weight_given and rollout.weight_back is None:
        return False
    return load.time >= max(rollout.ended, rollout.weight_back or 0.0) + AFTERMATH


def _given_up(act: Act, rollout: Timeline | None) -> str:
    release, status = act.release, rollout.status if rollout else None
    if status is None:
        state = "the operator has not taken notice of it"
    else:
        verdict = f": {status.verdict.reason}: {status.verdict.message}" if status.verdict else ""
        state = f"it stands at {status.weight} % in phase {status.phase}{verdict}"
    return (
        f"{release.service} {release.stable} → {release.canary} should be {act.expected} by now, "
        f"{act.deadline:.0f} s after it was applied, but {state}"
    )

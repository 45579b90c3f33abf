"""What goes into one turn of the state machine, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus
from serinus.judge import Row, State, Verdict
from serinus.rollout.drift import Drift
from serinus.rollout.intents import Intent
from serinus.rollout.live import Live
from serinus.rollout.people import Ask, People
from serinus.rollout.plan import Plan
from serinus.rollout.records import Record
from serinus.rollout.scene import Scene
from serinus.rollout.warm_up import WarmUpCall


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a change takes to reach the proxies (`settle`), and how long before a tick a weight rises (`lead`)."""

    settle: timedelta
    lead: timedelta


@dataclass(frozen=True, slots=True)
class Judged:
    """The judge's answer after the tick that ended at `at`."""

    at: datetime
    state: State
    rows: tuple[Row, ...]
    verdict: Verdict
    queries: Mapping[str, str] = field(default_factory=dict)
    """What was asked, by metric."""
    reporters: Mapping[str, str] = field(default_factory=dict)
    """Whose of Istio's metrics were read, by metric; of other queries nothing."""


@dataclass(frozen=True, slots=True)
class Turn(Scene):
    """What the phases look at."""

    plan: Plan
    live: Live
    timing: Timing
    people: People


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one turn of the machine asks for.

    `intent`: the one change of the mesh that is due, if any. `records`: decisions taken now. `wake`: when time alone
    makes the next turn worth taking; None when only a change of the objects or new evidence does. `drift`: how the mesh
    differs from what was decided, if it does. `let_go`: a deleted CanaryDeployment may disappear now. `asks`: questions
    to hooks that have no reply yet; asked again by every turn until they do. `warm_up`: the same, for the canary's
    endpoints.
    """

    status: CanaryDeploymentStatus
    intent: Intent | None = None
    records: tuple[Record, ...] = ()
    wake: datetime | None = None
    drift: Drift | None = None
    let_go: bool = False
    asks: tuple[Ask, ...] = ()
    warm_up: WarmUpCall | None = None

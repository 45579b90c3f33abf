"""The state machine as one table: every phase, what happens in it, and where that leads.

No phase changes but by `target`, so what is not in the table cannot happen; docs/state-machine.md prints it.
"""

from dataclasses import dataclass
from enum import StrEnum

from serinus.api import Phase


class Event(StrEnum):
    """What moves a rollout from one phase to another."""

    RELEASED = "Released"
    PREPARED = "Prepared"
    WARMED_UP = "WarmedUp"
    NEVER_READY = "NeverReady"
    WARM_UP_FAILED = "WarmUpFailed"
    PROVEN = "Proven"
    COMPLETED = "Completed"
    UNDECIDED = "Undecided"
    STEP_RESTARTED = "StepRestarted"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    REGRESSED = "Regressed"
    UNREACHABLE = "Unreachable"
    EXPIRED = "Expired"
    ADOPTED = "Adopted"
    SUPERSEDED = "Superseded"
    DELETED = "Deleted"
    ORDERED_BACK = "OrderedBack"
    HOOK_REFUSED = "HookRefused"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an event leads from any of `sources`, what becomes of the canary's weight, and when it happens."""

    event: Event
    sources: tuple[Phase, ...]
    target: Phase
    weight: str
    when: str


UNCHANGED, ZERO = "unchanged", "0"
"""What may become of the canary's weight, besides a step of the ladder."""
FIRST_STEP, NEXT_STEP = "first step's", "next step's"

UNDER_WAY = (Phase.PROGRESSING, Phase.HOLDING, Phase.PAUSED)
"""The phases in which a step of the ladder is on the mesh, or on its way there."""
BEFORE_TRAFFIC = (Phase.PENDING, Phase.WARMING_UP)
"""The phases before any user meets the canary."""
ENDS = tuple(phase for phase in Phase if phase.is_end)

TABLE = (
    Transition(
        Event.RELEASED,
        (*BEFORE_TRAFFIC, *ENDS),
        Phase.PENDING,
        UNCHANGED,
        "the spec asks for a release that has not been tried",
    ),
    Transition(
        Event.PREPARED, (Phase.PENDING,), Phase.WARMING_UP, ZERO, "all traffic is on stable and both subsets are right"
    ),
    Transition(
        Event.WARMED_UP,
        (Phase.WARMING_UP,),
        Phase.PROGRESSING,
        FIRST_STEP,
        "the canary is ready and the warm-up is over",
    ),
    Transition(
        Event.NEVER_READY,
        (Phase.WARMING_UP,),
        Phase.FAILED,
        ZERO,
        "the deadline passed before the canary was ready, and whenUndecided is rollback",
    ),
    Transition(
        Event.WARM_UP_FAILED,
        (Phase.WARMING_UP,),
        Phase.ROLLED_BACK,
        ZERO,
        "a request of the warm-up was not answered as it must be; no user has met the canary",
    ),
    Transition(
        Event.PROVEN,
        (Phase.PROGRESSING, Phase.HOLDING),
        Phase.PROGRESSING,
        NEXT_STEP,
        "the window is over, the newest verdict is promote and no gate is closed; or a person orders it",
    ),
    Transition(
        Event.COMPLETED,
        (Phase.PROGRESSING, Phase.HOLDING),
        Phase.PROMOTED,
        UNCHANGED,
        "the last step's bake time is over and nothing speaks against the canary",
    ),
    Transition(
        Event.UNDECIDED, (Phase.PROGRESSING,), Phase.HOLDING, UNCHANGED, "the window is over and the verdict is hold"
    ),
    Transition(
        Event.STEP_RESTARTED,
        UNDER_WAY,
        Phase.PROGRESSING,
        UNCHANGED,
        "the step was disturbed from outside: its window begins again",
    ),
    Transition(
        Event.PAUSED,
        (Phase.PROGRESSING, Phase.HOLDING),
        Phase.PAUSED,
        UNCHANGED,
        "spec.paused is true, or a person holds",
    ),
    Transition(Event.RESUMED, (Phase.PAUSED,), Phase.PROGRESSING, UNCHANGED, "nobody holds it any more"),
    Transition(Event.REGRESSED, UNDER_WAY, Phase.ROLLED_BACK, ZERO, "the verdict is rollback"),
    Transition(
        Event.UNREACHABLE,
        UNDER_WAY,
        Phase.ROLLED_BACK,
        ZERO,
        "the canary has weight and no ready endpoint for two ticks",
    ),
    Transition(
        Event.EXPIRED, UNDER_WAY, Phase.ROLLED_BACK, ZERO, "the step's deadline passed and whenUndecided is rollback"
    ),
    Transition(
        Event.ADOPTED,
        UNDER_WAY,
        Phase.ROLLED_BACK,
        ZERO,
        "the mesh carries a rollback that the operator wrote just before it was stopped",
    ),
    Transition(
        Event.SUPERSEDED, UNDER_WAY, Phase.ROLLED_BACK, ZERO, "the spec asks for another release before this one ended"
    ),
    Transition(
        Event.DELETED, (*BEFORE_TRAFFIC, *UNDER_WAY), Phase.ROLLED_BACK, ZERO, "the CanaryDeployment is being deleted"
    ),
    Transition(
        Event.ORDERED_BACK,
        (*BEFORE_TRAFFIC, *UNDER_WAY, Phase.PROMOTED),
        Phase.ROLLED_BACK,
        ZERO,
        "a person orders it, also after the promotion",
    ),
    Transition(
        Event.HOOK_REFUSED,
        (Phase.WARMING_UP, *UNDER_WAY),
        Phase.ROLLED_BACK,
        ZERO,
        "a hook says no or does not answer, and its failure is rollback",
    ),
)
"""All that can happen. An event that is not listed for a phase cannot happen in it."""

_TARGETS = {(source, transition.event): transition.target for transition in TABLE for source in transition.sources}


def target(phase: Phase, event: Event) -> Phase:
    """The phase that `event` leads to from `phase`; KeyError for what is not in the table."""
    return _TARGETS[phase, event]


def table_text() -> str:
    """The table as Markdown."""
    head = ("Event", "from", "to", "canary's weight", "when")
    rows = [(t.event.value, ", ".join(t.sources), t.target.value, t.weight, t.when) for t in TABLE]
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"

"""Hooks: programs of people that are asked before something happens, or told after it has.

A question is asked outside, by whoever carries out an outcome's `asks`; the reply comes with a later turn and is kept
in the status, so that an operator that was restarted asks with the same key, or not at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.api.canarydeployment import Hook, Moment
from serinus.api.status import HookStatus
from serinus.rollout.changes import in_rollout, moved, recorded, rollout_of, saying
from serinus.rollout.ends import roll_back
from serinus.rollout.people import Ask, HookFacts, Reply
from serinus.rollout.phases import UNDER_WAY, Event
from serinus.rollout.records import SERINUS
from serinus.rollout.turn import Outcome, Turn

_AGAIN = timedelta(minutes=1)  # a hook that said no, or nothing, is asked again after this long
_TOLD = 5  # times that a hook is told of what has come without asking it, when it does not answer
_ROUND = "#"  # parts a key from the number of vetoes before: after one the question is a new one
_MOMENT_OF_END: dict[Phase, Moment] = {Phase.PROMOTED: "promoted", Phase.ROLLED_BACK: "rolledBack"}

Question = tuple[Moment, int]
"""A moment, and the index of the step that it is about."""


def with_replies(status: CanaryDeploymentStatus, replies: Sequence[Reply], now: datetime) -> CanaryDeploymentStatus:
    """The status that knows what hooks have answered since the last turn."""
    if status.rollout is None or not replies:
        return status
    known = {each.key: each for each in status.rollout.hooks}
    for reply in replies:
        key = reply.key.partition(_ROUND)[0]
        before = known.get(key, HookStatus(key=key, word=reply.word, time=now))
        known[key] = before.model_copy(
            update={
                "word": reply.word,
                "reason": reply.reason,
                "time": now,
                "tries": before.tries + 1,
                "vetoes": before.vetoes + (reply.word == "veto"),
            }
        )
    return in_rollout(status, hooks=tuple(known.values()))


def ask_before(
    turn: Turn, status: CanaryDeploymentStatus, questions: Iterable[Question], weight: int
) -> Outcome | None:
    """What hooks have against giving the canary `weight`; None where all of them consent.

    No reply yet: the questions are asked and the weight stays. A veto, or a failure that is not to be ignored: held
    (on record the first time) or rolled back, as the hook's `failure` says; a veto is never ignored.
    """
    asks: list[Ask] = []
    for hook, question, key in _asked(turn, status, questions):
        known = _known(status, key)
        if known is None:
            asks.append(_ask(turn, status, hook, question, key, weight))
        elif known.word == "veto" or (known.word == "failed" and hook.failure != "ignore"):
            return _refused(turn, status, hook, known, _ask(turn, status, hook, question, key, weight))
    return Outcome(status, asks=tuple(asks)) if asks else None


def tell(turn: Turn, outcome: Outcome) -> Outcome:
    """The outcome, with the hooks that are yet to be told of what nobody asks them: an end, or a step by order."""
    status = outcome.status
    told = _told_of(turn, status)
    if told is None:
        return outcome
    asks: list[Ask] = []
    times = [] if outcome.wake is None else [outcome.wake]
    for hook, question, key in _asked(turn, status, told.questions):
        known = _known(status, key)
        if known is not None and (known.word != "failed" or known.tries >= _TOLD):
            continue
        if known is None or turn.now >= known.time + _AGAIN:
            asks.append(_ask(turn, status, hook, question, key, status.weight, told.ordered_by))
        else:
            times.append(known.time + _AGAIN)
    return replace(outcome, asks=(*outcome.asks, *asks), wake=min(times, default=None))


@dataclass(frozen=True, slots=True)
class _Told:
    """Moments that have come, whatever a hook says of them, and the person whose order they came by."""

    questions: tuple[Question, ...]
    ordered_by: str | None = None


def _told_of(turn: Turn, status: CanaryDeploymentStatus) -> _Told | None:
    if status.rollout is None:
        return None
    step, end = status.rollout.step, _MOMENT_OF_END.get(status.phase)
    if end is not None:
        return _Told(((end, step),))
    risen = next((each for each in reversed(status.history) if each.weight_after > each.weight_before), None)
    if status.phase not in UNDER_WAY or risen is None or risen.actor == SERINUS:
        return None
    left = [number for number, each in enumerate(turn.plan.ladder) if each.weight == risen.weight_before]
    before: list[Question] = [("afterStep", number) for number in left] or [("start", 0)]
    return _Told((*before, ("beforeStep", step)), risen.actor)


def _asked(
    turn: Turn, status: CanaryDeploymentStatus, questions: Iterable[Question]
) -> Iterator[tuple[Hook, Question, str]]:
    for moment, step in questions:
        for number, hook in enumerate(turn.subject.hooks):
            if hook.when == moment:
                yield hook, (moment, step), f"{rollout_of(status).id}/{moment}/{step + 1}/{number + 1}"


def _known(status: CanaryDeploymentStatus, key: str) -> HookStatus | None:
    return next((each for each in rollout_of(status).hooks if each.key == key), None)


def _ask(
    turn: Turn,
    status: CanaryDeploymentStatus,
    hook: Hook,
    question: Question,
    key: str,
    weight: int,
    ordered_by: str | None = None,
) -> Ask:
    known = _known(status, key)
    verdict = status.verdict
    facts = HookFacts(
        when=question[0],
        rollout=rollout_of(status).id,
        namespace=turn.subject.namespace,
        name=turn.subject.name,
        step=question[1] + 1,
        weight=status.weight,
        next_weight=weight,
        ordered_by=ordered_by,
        record=status.history[-1].id if status.history else None,
        reason=verdict.reason if verdict else "",
        message=verdict.message if verdict else "",
        comparison=status.comparison,
        time=turn.now,
    )
    return Ask(f"{key}{_ROUND}{known.vetoes}" if known and known.vetoes else key, hook, facts)


def _refused(turn: Turn, status: CanaryDeploymentStatus, hook: Hook, known: HookStatus, again: Ask) -> Outcome:
    reason = "HookVeto" if known.word == "veto" else "HookFailed"
    told = f"the hook {hook.when} at {hook.url} {'says no' if known.word == 'veto' else 'failed'}: {known.reason}"
    if hook.failure == "rollback":
        return roll_back(turn, status, Event.HOOK_REFUSED, reason, told)
    held = saying(status, turn.now, reason, told)
    asks = (again,) if turn.now >= known.time + _AGAIN else ()
    wake = None if asks else known.time + _AGAIN
    if status.history and status.history[-1].reason == reason:
        return Outcome(held, asks=asks, wake=wake)
    held, record = recorded(turn, held, "hold", reason, told)
    if held.phase is Phase.PROGRESSING:
        held = moved(held, Event.UNDECIDED)
    return Outcome(held, records=(record,), asks=asks, wake=wake)

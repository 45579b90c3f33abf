"""Ticks, in numbers: every bet is made from what was known before its tick, then settled with its samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from serinus.judge import bets
from serinus.judge.bets import Asked, Wagers
from serinus.judge.evidence import Evidence, Floats, Integers, Missing, Tick
from serinus.judge.guard import Guard
from serinus.judge.kinds.memory import Bets
from serinus.judge.ledger import Ledger
from serinus.judge.policy import GUARD, Metric, Policy
from serinus.judge.state import State

UNKNOWN = Evidence(missing=Missing.NO_SERIES)
"""The evidence of a metric that a tick lacks."""


def settle(policy: Policy, state: State, tick: Tick, *, with_intervals: bool = True) -> State:
    """The state after the tick.

    No verdict depends on the intervals of the comparison: whoever does not look at it can do without them. Works on any
    number of simulated rollouts at once, whose samples have the leading axes that the state has.
    """
    return next(settle_all(policy, state, [tick], with_intervals=with_intervals))


def settle_all(policy: Policy, state: State, ticks: Sequence[Tick], *, with_intervals: bool = True) -> Iterator[State]:
    """The state after each of the ticks, as one after the other would give it, but all bets are settled in one pass."""
    turns, known = [], state
    for tick in ticks:
        turns.append(_turn(policy, in_step(policy, known, tick.step), tick, with_intervals=with_intervals))
        known = turns[-1].known
    settled = bets.settle(wagers for turn in turns for wagers in turn.wagers)
    for turn in turns:
        state = _after(policy, in_step(policy, state, turn.tick.step), turn, settled)
        yield state


def settle_in_step(policy: Policy, state: State, tick: Tick) -> State:
    """The state after a tick of the step that the state is in; of many rollouts each may be in a step of its own."""
    turn = _turn(policy, state, tick, with_intervals=True)
    return _after(policy, state, turn, bets.settle(turn.wagers))


def evidence_of(tick: Tick, name: str) -> Evidence:
    """The tick's evidence of a metric or of the guard; what it lacks counts as missing."""
    return tick.evidence.get(name, UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A tick whose bets are made and not settled yet."""

    tick: Tick
    guard: Asked[Floats]
    metrics: tuple[Asked[Bets | None], ...]
    known: State
    """After the tick, but for the wealth: from this the next tick's bets can be made."""

    @property
    def wagers(self) -> Iterator[Wagers]:
        """All of them, in the order in which `_after` asks for what came of them."""
        yield from self.guard.wagers
        for asked in self.metrics:
            yield from asked.wagers


def _turn(policy: Policy, state: State, tick: Tick, *, with_intervals: bool) -> _Turn:
    """The bets on a tick, from the state before it, which is in the tick's step."""
    of_guard = evidence_of(tick, GUARD)
    seen = [(metric, ledger, evidence_of(tick, metric.name)) for metric, ledger in _pairs(policy, state)]
    return _Turn(
        tick=tick,
        guard=state.guard.watch.ask(of_guard, policy, bake=tick.bake),
        metrics=tuple(
            ledger.watch.ask(metric, evidence, bake=tick.bake, with_intervals=with_intervals)
            for metric, ledger, evidence in seen
        ),
        known=State(
            ticks=state.ticks + 1,
            step=tick.step,
            guard=Guard(state.guard.watch.after(of_guard, bake=tick.bake), state.guard.halves),
            ledgers=tuple(
                Ledger(ledger.watch.after(metric, evidence, tick), ledger.purse) for metric, ledger, evidence in seen
            ),
        ),
    )


def _after(policy: Policy, state: State, turn: _Turn, settled: Iterator[Floats]) -> State:
    """The state after a turn's tick, from the state before it, which is in the tick's step."""
    guard = state.guard.after(turn.known.guard.watch, turn.guard.finished(settled), policy, state.ticks)
    ledgers = []
    for (metric, before), known, asked in zip(_pairs(policy, state), turn.known.ledgers, turn.metrics, strict=True):
        seen = evidence_of(turn.tick, metric.name)
        # A tick in which the weight changed, or of which not all is known, proves nothing good.
        is_whole = seen.missing is None and not seen.straddles
        purse = before.purse.after(asked.finished(settled), policy, state.ticks, may_promote=is_whole)
        ledgers.append(Ledger(known.watch, purse))
    return State(turn.known.ticks, turn.known.step, guard, tuple(ledgers))


def in_step(policy: Policy, state: State, step: Integers) -> State:
    """The state before a tick of this step: the first tick of a new one starts the promotion side anew."""
    if step == state.step:
        return state
    return replace(
        state,
        step=step,
        guard=state.guard.new_step(),
        ledgers=tuple(ledger.new_step(metric) for metric, ledger in _pairs(policy, state)),
    )


def _pairs(policy: Policy, state: State) -> Iterator[tuple[Metric, Ledger]]:
    return zip(policy.metrics, state.ledgers, strict=True)

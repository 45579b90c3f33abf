"""What the judge remembers between ticks: one immutable value, packed to text for a status and back, bit for bit."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any, Self

import numpy as np

from serinus.judge.evidence import Integers, Past
from serinus.judge.guard import Guard, GuardWatch
from serinus.judge.kinds.memory import Batch, Memory
from serinus.judge.kinds.registry import memory_of
from serinus.judge.ledger import Ledger, Purse, Watch
from serinus.judge.packing import Reader, Writer
from serinus.judge.policy import GUARD, Metric, Policy

_VERSION = 3
_PARTS = (GuardWatch, Watch, Purse, Memory)
_NO_STEP = -1  # none of the ladder's: whichever comes next is new


class StateError(ValueError):
    """A packed state that cannot be read; the message says why."""


@dataclass(frozen=True)
class State:
    """The judge's memory of one rollout (or of many that are simulated together): what `judge` takes and gives."""

    ticks: Integers
    """Ticks judged so far: the next one is number `ticks`."""
    step: Integers
    """The ladder's step that the counts belong to."""
    guard: Guard
    ledgers: tuple[Ledger, ...]
    """In the order of the policy's metrics."""

    @classmethod
    def start(cls, policy: Policy, history: Mapping[str, Past] | None = None, *, rollouts: Batch = ()) -> Self:
        """Before the first tick; `history` says what is known from before the rollout, by metric name.

        It makes the first bets better. The guard's is found under GUARD. `rollouts` are the leading axes of a
        simulation's samples.
        """
        history = history or {}
        unknown = Past()
        return cls(
            ticks=0,
            step=0,
            guard=Guard.start(history.get(GUARD, unknown), rollouts),
            ledgers=tuple(Ledger.start(each, history.get(each.name, unknown), rollouts) for each in policy.metrics),
        )

    def disturbed(self) -> Self:
        """The state whose step starts anew with the next tick: the promotion side, while rollback wealth goes on."""
        return replace(self, step=_NO_STEP)

    def pack(self) -> str:
        """The state as text (base64), exact to the bit."""
        return self._packed

    @cached_property
    def _packed(self) -> str:
        writer = Writer()
        for number in (_VERSION, self.ticks, self.step):
            writer.value(number)
        parts: tuple[Guard | Ledger, ...] = (self.guard, *self.ledgers)
        for part in parts:
            _write(writer, part)
        return base64.b64encode(writer.bytes()).decode("ascii")

    @classmethod
    def unpack(cls, text: str, policy: Policy) -> Self:
        """The inverse of `pack`, for the policy it was made with.

        Raises StateError when the text is damaged, of another version, or of another policy.
        """
        try:
            reader = Reader(base64.b64decode(text, validate=True))
            version = reader.value()
            if version != _VERSION:
                raise StateError(f"the judge's state is of version {version}; this program reads version {_VERSION}")
            ticks, step = int(reader.value()), int(reader.value())
            guard = Guard(GuardWatch(*_values(reader, GuardWatch)), reader.value())
            ledgers = tuple(_read_ledger(reader, metric) for metric in policy.metrics)
        except (ValueError, TypeError, OverflowError) as error:
            if isinstance(error, StateError):
                raise
            raise StateError("the judge's state in status.rollout cannot be read") from error
        if not reader.is_at_end:
            raise StateError(f"the judge's state is of more metrics than the policy's {len(policy.metrics)}")
        return cls(ticks, step, guard, ledgers)


def _write(writer: Writer, part: Guard | Ledger | GuardWatch | Watch | Purse | Memory) -> None:
    for field in fields(part):  # type: ignore[arg-type]  # every Memory is a dataclass
        value = getattr(part, field.name)
        if isinstance(value, _PARTS):
            _write(writer, value)
        else:
            writer.value(value)


def _values(reader: Reader, part: type) -> list[Any]:
    """What `part` is made of, where it has no further parts."""
    return [reader.value() for _ in fields(part)]


def _read_ledger(reader: Reader, metric: Metric) -> Ledger:
    kind = memory_of(metric)
    memory = kind(*_values(reader, kind))
    watch = Watch(memory, *(reader.value() for _ in fields(Watch)[1:]))
    ledger = Ledger(watch, Purse(*_values(reader, Purse)))
    if _shapes(ledger) != _first_shapes(metric):
        raise StateError(f"the judge's state is not of the policy's metric {metric.name}")
    return ledger


@lru_cache(256)
def _first_shapes(metric: Metric) -> list[tuple[int, ...]]:
    """Those of a ledger that begins; there are few different metrics."""
    return _shapes(Ledger.start(metric, Past(), ()))


def _shapes(ledger: Ledger) -> list[tuple[int, ...]]:
    """Of all arrays but the memory's, whose depend on what was seen."""
    arrays = [ledger.watch.unit, ledger.watch.excess, *(getattr(ledger.purse, each.name) for each in fields(Purse))]
    return [np.shape(each) for each in arrays]

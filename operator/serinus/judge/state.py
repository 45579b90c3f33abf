"""What the judge remembers between ticks: one immutable value, packed to text for a status and back, bit for bit."""

import base64
import struct
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np

from serinus.judge import interval, wealth
from serinus.judge.evidence import Counts
from serinus.judge.policy import GUARD, Metric, Policy
from serinus.judge.proportion import Floats

_HISTORY_REQUESTS = 1000.0  # a prior from history weighs at most as much as this many requests
_PRIOR = Counts(50.0, 0.5)  # without history: few failures, weakly believed


class StateError(ValueError):
    """A packed state that cannot be read; the message says why."""


@dataclass(frozen=True)
class _Packed:
    """Arrays and counts that travel as one row of float64."""

    _shapes: ClassVar[dict[str, tuple[int, ...]]]

    def row(self) -> Floats:
        """All fields, one after another."""
        parts = [getattr(self, field.name) for field in fields(self)]
        flat = [np.ravel([part.n, part.x] if isinstance(part, Counts) else part) for part in parts]
        return np.concatenate(flat).astype(float)

    @classmethod
    def of_row(cls, row: Floats) -> Self:
        """The inverse of `row`."""
        values: dict[str, object] = {}
        start = 0
        for field in fields(cls):
            shape = cls._shapes.get(field.name)
            size = int(np.prod(shape)) if shape is not None else (2 if field.type is Counts else 1)
            part = row[start : start + size]
            start += size
            if shape is not None:
                values[field.name] = part.reshape(shape).copy()
            elif field.type is Counts:
                values[field.name] = Counts(float(part[0]), float(part[1]))
            else:
                values[field.name] = float(part[0])
        return cls(**values)

    @classmethod
    def row_size(cls) -> int:
        """Number of float64 in a row."""
        scalars = sum(2 if f.type is Counts else 1 for f in fields(cls) if f.name not in cls._shapes)
        return scalars + sum(int(np.prod(shape)) for shape in cls._shapes.values())


@dataclass(frozen=True)
class MetricState(_Packed):
    """What is known of one metric. Counts and intervals are of the step, rollback wealth of the whole rollout."""

    _shapes: ClassVar[dict[str, tuple[int, ...]]] = {
        "rollback": (wealth.SHARES,),
        "promote": (wealth.SHARES,),
        "interval": (2, interval.SHAPE.size),
    }

    rollback: Floats
    peak: float  # largest log of the whole rollback wealth so far
    promote: Floats
    interval: Floats
    unit: float  # scale of the interval's grid, fixed at the step's start
    canary: Counts
    stable: Counts
    recent_canary: Counts  # fading sums: what the next tick's bets are made from
    recent_stable: Counts
    ticks: float  # of the step, in slots of the grid
    good: float  # of them, with data
    since_missing: float  # slots with data since the last that lacked some

    @classmethod
    def start(cls, metric: Metric, history: Counts | None) -> Self:
        """Before the first tick. `history` is what is known of the stable arm from before the rollout."""
        prior = Counts(0.0, 0.0) if metric.higher_is_better else _PRIOR
        if history is not None and history.n > 0:
            scale = min(1.0, _HISTORY_REQUESTS / history.n)
            prior = Counts(history.n * scale, history.x * scale)
        return cls(
            rollback=wealth.rollback_start(),
            peak=0.0,
            promote=wealth.promote_start(),
            interval=interval.start(),
            unit=metric.unit,
            canary=Counts(),
            stable=Counts(),
            recent_canary=Counts(),
            recent_stable=prior,
            ticks=0.0,
            good=0.0,
            since_missing=0.0,
        )


@dataclass(frozen=True)
class GuardState(_Packed):
    """What the guard knows (R08): its wealth against the spike alone and against the stable arm."""

    _shapes: ClassVar[dict[str, tuple[int, ...]]] = {
        "one_arm": (wealth.SHARES,),
        "two_arms": (wealth.SHARES,),
    }

    one_arm: Floats
    two_arms: Floats
    canary: Counts  # of the step
    stable: Counts
    recent_stable: Counts
    latest: Counts  # of the canary, in the last tick

    @classmethod
    def start(cls, history: Counts | None) -> Self:
        """Before the first tick."""
        prior = history if history is not None and history.n > 0 else _PRIOR
        scale = min(1.0, _HISTORY_REQUESTS / prior.n)
        start = wealth.rollback_start()
        return cls(start, start, Counts(), Counts(), Counts(prior.n * scale, prior.x * scale), Counts())


@dataclass(frozen=True)
class State:
    """The judge's memory of one rollout: what `judge` takes and gives back."""

    ticks: int
    """Ticks judged so far: the next one is number `ticks`."""
    step: int
    """The ladder's step that the counts belong to."""
    guard: GuardState
    metrics: tuple[MetricState, ...]
    """In the order of the policy's metrics."""

    @classmethod
    def start(cls, policy: Policy, history: dict[str, Counts] | None = None) -> Self:
        """Before the first tick; `history` has the stable's counts from before the rollout, by metric name.

        It only makes the first bets better. The guard's is found under GUARD.
        """
        history = history or {}
        metrics = tuple(MetricState.start(metric, history.get(metric.name)) for metric in policy.metrics)
        return cls(ticks=0, step=0, guard=GuardState.start(history.get(GUARD)), metrics=metrics)

    def pack(self) -> str:
        """The state as text (base64), exact to the bit: about 730 characters per metric."""
        rows = [self.guard.row(), *(metric.row() for metric in self.metrics)]
        head = struct.pack("<HIH", _VERSION, self.ticks, self.step)
        return base64.b64encode(head + np.concatenate(rows).astype("<f8").tobytes()).decode("ascii")

    @classmethod
    def unpack(cls, text: str, policy: Policy) -> Self:
        """The inverse of `pack`, for the policy it was made with.

        Raises StateError when the text is damaged, of another version, or of another policy.
        """
        try:
            data = base64.b64decode(text, validate=True)
            version, ticks, step = struct.unpack_from("<HIH", data)
            values = np.frombuffer(data, dtype="<f8", offset=struct.calcsize("<HIH")).astype(float)
        except (ValueError, struct.error) as error:
            raise StateError("the judge's state in status.rollout cannot be read") from error
        guard_size, size = GuardState.row_size(), MetricState.row_size()
        expected = guard_size + size * len(policy.metrics)
        if version != _VERSION or values.size != expected:
            raise StateError(
                f"the judge's state is of version {version} with {values.size} numbers; "
                f"this policy needs version {_VERSION} with {expected}"
            )
        rows = values[guard_size:].reshape(len(policy.metrics), size)
        return cls(
            ticks=ticks,
            step=step,
            guard=GuardState.of_row(values[:guard_size]),
            metrics=tuple(MetricState.of_row(row) for row in rows),
        )


_VERSION = 1

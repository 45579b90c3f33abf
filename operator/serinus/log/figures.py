"""What the log says of all rollouts together: how many ended how, how fast, and what came of people's overrides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import msgspec

from serinus.log.entry import Entry, LineError

SERINUS = "serinus"
"""Who decided what nobody ordered."""

ENDS = {"promoted": "promoted", "rollback": "rolled back", "superseded": "superseded"}
"""The verdicts that end a rollout, and what has become of it then."""

_VERDICTS = ("promote", "hold", "rollback")  # the actions that a verdict can contradict


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An override that was not what the judge had said: who asked for what against which verdict, and the end."""

    rollout: str
    actor: str
    action: str
    judge: str
    because: str
    end: str
    """promoted, rolled back, superseded, or under way."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Summary figures. Times in seconds; None where nothing was measured."""

    rollouts: int
    promoted: int
    rolled_back: int
    seconds_to_promote: float | None
    """From the first record to the promotion, the median."""
    seconds_to_roll_back: float | None
    """From the first bad tick to the rollback, the median: the tick since which the evidence pointed to a rollback
    without a break."""
    overrides: int
    contradictions: tuple[Contradiction, ...]

    @property
    def share_rolled_back(self) -> float | None:
        """Of the rollouts that were promoted or rolled back."""
        ended = self.promoted + self.rolled_back
        return self.rolled_back / ended if ended else None


class _Tick(msgspec.Struct):
    end: str
    rollback: float


class _Evidence(msgspec.Struct):
    ticks: tuple[_Tick, ...] = ()


class _Told(msgspec.Struct):
    """What figures want to know of a record's content: of the rest, nearly all of it, nothing is made."""

    evidence: _Evidence = msgspec.field(default_factory=_Evidence)
    overruled: str = "hold"
    because: str = ""


_decoder = msgspec.json.Decoder(_Told)


def figures_of(entries: Iterable[Entry]) -> Figures:
    """The figures of the entries, which come in the log's order. Raises LineError for one that cannot be read.

    Of each rollout they need its first record, its end, and what people ordered; others change nothing.
    """
    first: dict[str, str] = {}
    end: dict[str, str] = {}
    promotions: list[float] = []
    rollbacks: list[float] = []
    overrides: list[Entry] = []
    for entry in entries:
        first.setdefault(entry.rollout, entry.time)
        if entry.actor != SERINUS:
            overrides.append(entry)
        if entry.verdict in ENDS:
            end[entry.rollout] = ENDS[entry.verdict]
        if entry.verdict == "promoted":
            promotions.append(_seconds(first[entry.rollout], entry.time))
        if entry.verdict == "rollback" and entry.actor == SERINUS and (bad := _first_bad_tick(_told(entry))):
            rollbacks.append(_seconds(bad, entry.time))
    ends = list(end.values())
    return Figures(
        rollouts=len(first),
        promoted=ends.count("promoted"),
        rolled_back=ends.count("rolled back"),
        seconds_to_promote=median(promotions) if promotions else None,
        seconds_to_roll_back=median(rollbacks) if rollbacks else None,
        overrides=len(overrides),
        contradictions=tuple(
            found for entry in overrides if (found := _contradiction(entry, end.get(entry.rollout, "under way")))
        ),
    )


def _told(entry: Entry) -> _Told:
    try:
        return _decoder.decode(entry.line)
    except msgspec.DecodeError as error:
        raise LineError(f"{entry.id}: it is not a record") from error


def _first_bad_tick(record: _Told) -> str | None:
    """The end of the first tick of the last unbroken run of ticks that pointed to a rollback."""
    bad = None
    for tick in record.evidence.ticks:
        bad = (bad or tick.end) if tick.rollback > 0 else None
    return bad


def _contradiction(entry: Entry, end: str) -> Contradiction | None:
    record = _told(entry)
    if entry.verdict not in _VERDICTS or entry.verdict == record.overruled:
        return None
    return Contradiction(entry.rollout, entry.actor, entry.verdict, record.overruled, record.because, end)


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()

"""Messages as pure functions of records (R28, R29): short, the same facts in every channel."""

from datetime import datetime, timedelta

from serinus.api import CanaryDeploymentStatus, Phase, Step, format_duration
from serinus.api.outbox import MessageKind, MessageStatus
from serinus.notify.rows import row_line
from serinus.rollout import Obstacle, Record

_SERINUS = "serinus"
_FIRST_ROWS = 3
_ROW = 300  # characters of a row, and ...
_BODY = 2000  # ... of a body: a status holds several and may have 16 KB in all

_KINDS: dict[str, MessageKind] = {
    "start": "started",
    "promote": "step",
    "hold": "holding",
    "promoted": "promoted",
    "rollback": "rolledBack",
    "failed": "ended",
    "superseded": "ended",
    "deleted": "ended",
}
_TITLES: dict[MessageKind, str] = {
    "started": "the rollout of {canary} begins with {record.weight_after} % of the traffic",
    "step": "{canary} rises from {record.weight_before} % to {record.weight_after} % of the traffic",
    "holding": "{canary} is held at {record.weight_after} % of the traffic ({record.reason})",
    "promoted": "{canary} is promoted: it has all of the traffic",
    "rolledBack": "{canary} is rolled back from {record.weight_before} % of the traffic ({record.reason})",
    "override": "{record.actor} overrides: {record.verdict}{weights}",
    "ended": "the rollout of {canary} has ended ({record.reason})",
}
_URGENT = ("promoted", "rolledBack", "ended")


def message_of(record: Record) -> MessageStatus | None:
    """What people are told of a record; None for one that only prepares."""
    kind: MessageKind | None = _KINDS.get(record.verdict)
    if record.actor != _SERINUS and kind != "rolledBack":
        kind = "override"
    if kind is None:
        return None
    lines = (*_reasons(record), *_comparison(record, kind), *_outlook(record, kind), f"record: {record.id}")
    return MessageStatus(
        key=record.id,
        kind=kind,
        title=f"{record.namespace}/{record.name}: {_title(record, kind)}",
        body="\n".join(lines)[:_BODY],
        time=record.time,
        urgent=kind in _URGENT,
    )


def report_message(
    namespace: str, name: str, status: CanaryDeploymentStatus, every: timedelta, now: datetime
) -> MessageStatus | None:
    """The comparison of a step that is held, once in a while (R07); None where it is not time, or not held.

    The time counts from the last record or report, whichever is later.
    """
    told = [status.history[-1].time] if status.history else []
    told += [status.outbox.reported_at] if status.outbox.reported_at else []
    if status.phase is not Phase.HOLDING or status.verdict is None or not told or now < max(told) + every:
        return None
    rows = tuple(f"· {row_line(row)}"[:_ROW] for row in status.comparison[:_FIRST_ROWS])
    return MessageStatus(
        key=f"{namespace}/{name}/report/{now:%Y%m%dT%H%M%SZ}",
        kind="holding",
        title=f"{namespace}/{name}: still held at {status.weight} % of the traffic ({status.verdict.reason})",
        body="\n".join((status.verdict.message, *rows))[:_BODY],
        time=now,
    )


def stalled_message(namespace: str, name: str, obstacle: Obstacle, at: datetime) -> MessageStatus:
    """What people are told when a rollout cannot go on."""
    return MessageStatus(
        key=f"{namespace}/{name}/stalled/{at:%Y%m%dT%H%M%SZ}",
        kind="stalled",
        title=f"{namespace}/{name}: stalled ({obstacle.reason})",
        body=obstacle.message[:_BODY],
        time=at,
    )


def _title(record: Record, kind: MessageKind) -> str:
    labels = ",".join(f"{name}={value}" for name, value in sorted((record.plan.canary.labels or {}).items()))
    canary = labels or record.plan.canary.subset
    return _TITLES[kind].format(record=record, canary=canary, weights=_weights(record))


def _weights(record: Record) -> str:
    if record.weight_before == record.weight_after:
        return ""
    return f", from {record.weight_before} % to {record.weight_after} % of the traffic"


def _reasons(record: Record) -> tuple[str, ...]:
    person = () if record.because is None else (f"{record.actor} says: {record.because}",)
    author = () if record.author is None else (f"author: {record.author}",)
    return (*person, record.message, *author)


def _comparison(record: Record, kind: MessageKind) -> tuple[str, ...]:
    """The rows, the worse first: all of them with a rollback, the first few with other news."""
    rows = record.comparison if kind == "rolledBack" else record.comparison[:_FIRST_ROWS]
    lines = tuple(f"· {row_line(row)}"[:_ROW] for row in rows)
    left_out = len(record.comparison) - len(rows)
    return (*lines, f"· and {left_out} more") if left_out else lines


def _outlook(record: Record, kind: MessageKind) -> tuple[str, ...]:
    """When the next step can come, of a step that begins."""
    if record.weight_after <= record.weight_before or kind == "promoted":
        return ()
    number, step = _step_of(record)
    of = f"step {number} of {len(record.plan.ladder)}"
    if not step.window:
        return (f"{of}: the last, without a bake time",)
    return (
        f"{of}: {format_duration(step.window)} at least, so not before {record.time + step.window:%H:%M} UTC",
        *(("then it waits for an approval",) if step.gate else ()),
    )


def _step_of(record: Record) -> tuple[int, Step]:
    """The step that the record's weight belongs to, with its number from 1."""
    return next(
        (number, step) for number, step in enumerate(record.plan.ladder, start=1) if step.weight == record.weight_after
    )

"""The outbox: at least once for every channel, in order, never a storm; pure functions of the status that holds it.

A message stays until each channel of the spec has it. Messages that wait for the same channel travel together. A
channel gets one delivery a minute at most, unless a rollout has ended; one that does not take it is tried again after
2, 4, 8 ... 60 seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serinus.api.outbox import ChannelStatus, MessageStatus, OutboxStatus

_EVERY = timedelta(minutes=1)
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds
_BEFORE = "before: "
_MOST = 5  # messages that a status has room for


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is due for a channel: all that it has not got, oldest first."""

    channel: str
    messages: tuple[MessageStatus, ...]


def posted(outbox: OutboxStatus, messages: Sequence[MessageStatus]) -> OutboxStatus:
    """The outbox with more messages. Where there is no room the oldest that are not urgent are joined, never dropped.

    Joined messages have the newer one's key and the titles of all: every fact that a title has is kept.
    """
    waiting = [*outbox.messages, *messages]
    while len(waiting) > _MOST:
        first = next((place for place, each in enumerate(waiting[:-1]) if not each.urgent), 0)
        waiting[first : first + 2] = [_joined(waiting[first], waiting[first + 1])]
    return outbox.model_copy(update={"messages": tuple(waiting)})


def due(outbox: OutboxStatus, channels: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
    """What is to be delivered now; `channels` are those of the spec."""
    return tuple(
        Delivery(name, waiting)
        for name in channels
        if (waiting := _waiting(outbox, name)) and _when(_channel(outbox, name), waiting) <= now
    )


def next_delivery(outbox: OutboxStatus, channels: Sequence[str]) -> datetime | None:
    """When the next delivery is due; None when nothing waits."""
    times = [_when(_channel(outbox, name), waiting) for name in channels if (waiting := _waiting(outbox, name))]
    return min(times, default=None)


def taken(outbox: OutboxStatus, delivery: Delivery, channels: Sequence[str], now: datetime) -> OutboxStatus:
    """The outbox after a channel took a delivery: what every channel has leaves it."""
    keys = {message.key for message in delivery.messages}
    told = [
        each.model_copy(update={"delivered": (*each.delivered, delivery.channel)}) if each.key in keys else each
        for each in outbox.messages
    ]
    left = tuple(each for each in told if not set(channels) <= set(each.delivered))
    known = ChannelStatus(name=delivery.channel, sent_at=now)
    return outbox.model_copy(update={"messages": left, "channels": _with(outbox, known, channels)})


def refused(
    outbox: OutboxStatus, delivery: Delivery, channels: Sequence[str], problem: str, now: datetime
) -> OutboxStatus:
    """The outbox after a channel did not take a delivery; `problem` says why, without the channel's address."""
    before = _channel(outbox, delivery.channel)
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(before.attempts, 10))
    known = before.model_copy(
        update={"attempts": before.attempts + 1, "retry_at": now + timedelta(seconds=pause), "problem": problem}
    )
    return outbox.model_copy(update={"channels": _with(outbox, known, channels)})


def _joined(older: MessageStatus, newer: MessageStatus) -> MessageStatus:
    earlier = [line for line in older.body.splitlines() if line.startswith(_BEFORE)]
    body = "\n".join([*earlier, f"{_BEFORE}{older.title}", newer.body])
    return newer.model_copy(update={"body": body, "urgent": older.urgent or newer.urgent, "delivered": ()})


def _waiting(outbox: OutboxStatus, channel: str) -> tuple[MessageStatus, ...]:
    return tuple(each for each in outbox.messages if channel not in each.delivered)


def _channel(outbox: OutboxStatus, name: str) -> ChannelStatus:
    return next((each for each in outbox.channels if each.name == name), ChannelStatus(name=name))


def _when(channel: ChannelStatus, waiting: tuple[MessageStatus, ...]) -> datetime:
    """When a channel may be told what waits for it."""
    first = waiting[0].time
    if channel.retry_at is not None:
        return channel.retry_at
    if channel.sent_at is None or any(each.urgent for each in waiting):
        return first
    return max(first, channel.sent_at + _EVERY)


def _with(outbox: OutboxStatus, known: ChannelStatus, channels: Sequence[str]) -> tuple[ChannelStatus, ...]:
    """What is known of the spec's channels, with news of one."""
    others = (each for each in outbox.channels if each.name in channels and each.name != known.name)
    return (*others, known)

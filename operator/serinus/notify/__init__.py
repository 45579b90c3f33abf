"""Telling people, and asking them: messages as functions of records, channels, the outbox, and hooks."""

from serinus.notify.channel import Channel, ChannelError, channel_of
from serinus.notify.deliver import DeliveryError, deliver
from serinus.notify.guard import Forbidden, Guard, origin_of
from serinus.notify.hooks import HookAnswer, HookCall, call_hook
from serinus.notify.messages import message_of, report_message, stalled_message
from serinus.notify.outbox import Delivery, due, next_delivery, posted, refused, taken

__all__ = [
    "Channel",
    "ChannelError",
    "Delivery",
    "DeliveryError",
    "Forbidden",
    "Guard",
    "HookAnswer",
    "HookCall",
    "call_hook",
    "channel_of",
    "deliver",
    "due",
    "message_of",
    "next_delivery",
    "origin_of",
    "posted",
    "refused",
    "report_message",
    "stalled_message",
    "taken",
]

"""What is still to be told: messages that wait in a status until every channel has them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from serinus.api.model import Lenient

MessageKind = Literal["started", "step", "holding", "override", "stalled", "promoted", "rolledBack", "ended"]


class MessageStatus(Lenient):
    """A message for people: the same facts in every channel."""

    key: str = Field(description="Names the message: a receiver that knows it already has it twice.")
    kind: MessageKind = Field(description="What it is about, for tools.")
    title: str = Field(description="The message in a line.")
    body: str = Field(description="What was known: comparison, times, reasons.")
    time: datetime = Field(description="When it happened.")
    urgent: bool = Field(default=False, description="The end of a rollout: sent at once, whatever was sent before.")
    delivered: tuple[str, ...] = Field(default=(), description="The channels that have it.")


class ChannelStatus(Lenient):
    """How a channel fares: when it was last told something, and since when it does not answer."""

    name: str = Field(description="The Secret with the channel's address.")
    sent_at: datetime | None = Field(default=None, description="When it last took a message.")
    attempts: int = Field(default=0, description="How often in a row it did not.")
    retry_at: datetime | None = Field(default=None, description="When it is tried again.")
    problem: str = Field(default="", description="Why it did not, without its address.")


class OutboxStatus(Lenient):
    """Messages on their way, oldest first."""

    messages: tuple[MessageStatus, ...] = Field(default=(), description="What some channel has not got yet.")
    channels: tuple[ChannelStatus, ...] = Field(default=(), description="Every channel that was told something.")
    reported_at: datetime | None = Field(default=None, description="When the comparison of a held step was last told.")

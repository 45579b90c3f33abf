"""A channel as its Secret describes it. Its address is a credential: it is in no message, log or status (I10)."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class ChannelError(Exception):
    """A Secret that is no channel; the message says which key is wrong, and never its value."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go.

    `webhook`: an address that gets JSON, signed where there is a `key`. `url`: a service as Apprise spells it.
    `author_url`: another one for who made a release that is rolled back, with `{author}` in it.
    """

    webhook: str | None = field(repr=False)
    url: str | None = field(repr=False)
    author_url: str | None = field(repr=False)
    key: bytes | None = field(repr=False)


def channel_of(data: Mapping[str, bytes]) -> Channel:
    """The channel that a Secret's data describe. Raises ChannelError."""
    texts = {name: _text(name, data[name]) for name in ("webhook", "url", "authorUrl") if name in data}
    if ("webhook" in texts) == ("url" in texts):
        raise ChannelError("needs exactly one of the keys webhook (an https address) and url (a service of Apprise's)")
    if "webhook" in texts and not texts["webhook"].startswith(("http://", "https://")):
        raise ChannelError("webhook: must be an http or https address")
    if "authorUrl" in texts and "{author}" not in texts["authorUrl"]:
        raise ChannelError("authorUrl: must have {author} where the author's name or address goes")
    return Channel(texts.get("webhook"), texts.get("url"), texts.get("authorUrl"), data.get("key"))


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise ChannelError(f"{name}: is not UTF-8") from error

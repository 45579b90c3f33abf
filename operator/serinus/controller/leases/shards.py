"""Which shard an object belongs to."""

from zlib import crc32


def shard_of(uid: str, shards: int) -> int:
    """The shard of the object with this uid, from 0: the same in every replica, and evenly spread."""
    return crc32(uid.encode()) % shards

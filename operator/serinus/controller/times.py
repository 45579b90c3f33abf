"""Times as the API server has them in Leases and Events."""

from datetime import UTC, datetime


def micro_time(moment: datetime) -> str:
    """A moment, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

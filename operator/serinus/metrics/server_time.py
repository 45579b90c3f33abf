"""What time it is for the server of the evidence: ours may have been set, and nothing is known of the future."""

from email.utils import parsedate_to_datetime

_RESOLUTION = 1.0  # second: of the time that an answer carries


class ServerTime:
    """Keeps the time that the last answer carried (its header Date), and when by a clock that nobody sets."""

    def __init__(self) -> None:
        self._said: tuple[float, float] | None = None

    def note(self, date: str, monotonic: float) -> None:
        """An answer that carried `date` came at `monotonic` seconds; what is no date says nothing."""
        try:
            self._said = parsedate_to_datetime(date).timestamp(), monotonic
        except ValueError:
            return

    def behind(self, now: float, monotonic: float) -> float:
        """By how many seconds, but for the last one, the server's clock is behind ours, which says `now`."""
        if self._said is None:
            return 0.0
        date, came_at = self._said
        return max(0.0, now - (date + _RESOLUTION + monotonic - came_at))

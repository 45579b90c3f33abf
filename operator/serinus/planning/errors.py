"""What cannot be planned."""


class PlanningError(ValueError):
    """Nothing can be said of the release; the message says why, and what to do."""

"""When a status is worth a write: at once for a decision, else about once a minute, never while nothing changes."""

from typing import Any

from serinus.api import CanaryDeploymentStatus

_AT_MOST_EVERY = 60.0  # seconds between writes that only bring evidence up to date


def write_is_due(
    written: CanaryDeploymentStatus, status: CanaryDeploymentStatus, *, since_written: float, report_every: float
) -> bool:
    """Whether `status` must be written over `written`, which is `since_written` seconds old.

    Evidence (wealth, comparison, verdict) may wait: after a crash it is read again from Prometheus.
    """
    if status == written:
        return False
    return _decisive(status) != _decisive(written) or since_written >= min(_AT_MOST_EVERY, report_every)


def _decisive(status: CanaryDeploymentStatus) -> dict[str, Any]:
    """What people and a restarted operator must learn at once."""
    data = status.model_dump(
        exclude={"comparison", "verdict", "observed_share", "observed_requests", "printed", "conditions"}
    )
    if data["rollout"] is not None:
        data["rollout"] = {**data["rollout"], "judged_until": None, "judge": ""}
    data["conditions"] = [(each.type, each.status, each.reason) for each in status.conditions]
    return data

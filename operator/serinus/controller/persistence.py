"""When a status is worth a write: at once for a decision, else about once a minute, never while nothing changes."""

from serinus.api import CanaryDeploymentStatus

_EVIDENCE = {
    "comparison": (),
    "verdict": None,
    "observed_share": None,
    "observed_requests": None,
    "printed": None,
    "conditions": (),
}
_AT_MOST_EVERY = 60.0  # seconds between writes that only bring evidence up to date


def write_is_due(
    written: CanaryDeploymentStatus, status: CanaryDeploymentStatus, *, since_written: float, report_every: float
) -> bool:
    """Whether `status` must be written over `written`, which is `since_written` seconds old.

    Evidence (wealth, comparison, verdict) may wait: after a crash it is read again from Prometheus.
    """
    if status == written:
        return False
    return says_more(written, status) or since_written >= min(_AT_MOST_EVERY, report_every)


def says_more(before: CanaryDeploymentStatus, status: CanaryDeploymentStatus) -> bool:
    """Whether `status` says what people and a restarted operator must learn at once: more than newer evidence."""
    return _decisive(before) != _decisive(status)


def _decisive(status: CanaryDeploymentStatus) -> tuple[CanaryDeploymentStatus, list[tuple[str, str, str]]]:
    rollout = status.rollout and status.rollout.model_copy(update={"judged_until": None, "judge": ""})
    # Parts that did not change are the same objects, and compare at once.
    return status.model_copy(update={**_EVIDENCE, "rollout": rollout}), [
        (each.type, each.status, each.reason) for each in status.conditions
    ]

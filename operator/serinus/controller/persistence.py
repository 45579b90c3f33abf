"""When a status is worth a write: at once for a decision, else about once a minute, never while nothing changes."""

from serinus.api import CanaryDeploymentStatus

_EVIDENCE = {
    "comparison": (),
    "verdict": None,
    "observed_share": None,
    "observed_requests": None,
    "queries": (),
    "printed": None,
    "conditions": (),
}
_AT_MOST_EVERY = 60.0  # seconds between writes that only bring evidence up to date
_BUSY = 5.0  # times as long where the API server has as many writes as it may have: evidence queues behind no decision


def write_is_due(written: CanaryDeploymentStatus, status: CanaryDeploymentStatus, *, is_evidence_due: bool) -> bool:
    """Whether `status` must be written over `written`.

    Evidence (wealth, comparison, verdict) may wait: after a crash it is read again from Prometheus.
    """
    if status == written:
        return False
    return is_evidence_due or says_more(written, status)


def evidence_is_due(*, since_written: float, report_every: float, is_busy: bool) -> bool:
    """Whether a status written so many seconds ago is to be brought up to date, if only its evidence has changed.

    `is_busy`: one more write would have to wait for others.
    """
    return since_written >= min(_AT_MOST_EVERY, report_every) * (_BUSY if is_busy else 1.0)


def says_more(before: CanaryDeploymentStatus, status: CanaryDeploymentStatus) -> bool:
    """Whether `status` says what people and a restarted operator must learn at once: more than newer evidence."""
    return _decisive(before) != _decisive(status)


def _decisive(status: CanaryDeploymentStatus) -> tuple[CanaryDeploymentStatus, list[tuple[str, str, str]]]:
    rollout = status.rollout and status.rollout.model_copy(update={"judged_until": None, "judge": ""})
    # Parts that did not change are the same objects, and compare at once.
    return status.model_copy(update={**_EVIDENCE, "rollout": rollout}), [
        (each.type, each.status, each.reason) for each in status.conditions
    ]

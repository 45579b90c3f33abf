"""The share of the requests that the canary got, beside the weight that it was given: what the proxies made of it."""

import math

from serinus.api import CanaryDeploymentStatus
from serinus.rollout.drift import Drift
from serinus.rollout.plan import Plan

_DEVIATIONS = 5  # standard deviations that chance may make
_SLACK = 1.0  # percentage points that proxies may be late or round by
_COHORT_SLACK = 5.0  # users send different numbers of requests


def find_misalignment(plan: Plan, status: CanaryDeploymentStatus) -> Drift | None:
    """How the observed share of this step differs from its weight by more than chance, or None.

    Of an audience nobody knows how large it is: the canary's share of all requests may lie anywhere below the weight.
    """
    rollout, share, requests = status.rollout, status.observed_share, status.observed_requests
    if rollout is None or status.phase.is_end or share is None or not requests:
        return None
    if rollout.step_started_at is None or rollout.judged_until is None:
        return None
    if rollout.judged_until < rollout.step_started_at + plan.interval:
        return None  # these are still the last step's
    slack = _COHORT_SLACK if plan.traffic.cohort else _SLACK
    intended = status.weight / 100
    allowed = slack + 100 * _DEVIATIONS * math.sqrt(intended * (1 - intended) / requests)
    excess = share - status.weight
    if excess > allowed or (excess < -allowed and plan.traffic.audience is None):
        return Drift(
            "ShareNotAsDecided",
            f"the canary got {share:g} % of {requests} requests, {status.weight} % were decided; look for other routes "
            f"to {plan.traffic.host}, and for proxies that istiod cannot reach",
        )
    return None

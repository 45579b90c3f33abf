"""The plan of a rollout: what is copied from spec and policy when it starts, and holds until it ends."""

import base64
import hashlib
import json
import zlib
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any, Self

from pydantic import BaseModel

from serinus.api import Arm, CanaryDeploymentSpec, CanaryPolicySpec, Prometheus, Step, Traffic, Workloads
from serinus.api.model import Lenient
from serinus.judge import Policy
from serinus.rollout.judging import judge_policy

_DIGEST = 12  # hexadecimal digits: enough to tell one person's edits apart
_REMEMBERED = 2048  # packed plans: every turn of a rollout reads its own several times, and to unpack it takes longest

_POLICIES = 256  # different ones that are remembered


class PlanError(ValueError):
    """A packed plan that cannot be read."""


class Plan(Lenient):
    """Both arms, traffic, ladder and policy of one rollout; a later edit of the spec holds for the next one."""

    stable: Arm
    canary: Arm
    traffic: Traffic
    ladder: tuple[Step, ...]
    interval: timedelta
    report_every: timedelta
    warm_up: timedelta
    workloads: Workloads | None = None
    prometheus: Prometheus | None = None
    policy: CanaryPolicySpec

    @classmethod
    def of(cls, spec: CanaryDeploymentSpec, policy: CanaryPolicySpec) -> Self:
        """The plan that a rollout started now would follow."""
        return cls(
            stable=spec.stable,
            canary=spec.canary,
            traffic=spec.traffic,
            ladder=spec.ladder,
            interval=spec.interval,
            report_every=spec.report_every,
            warm_up=spec.warm_up.duration if spec.warm_up else timedelta(),
            workloads=spec.workloads,
            prometheus=spec.prometheus or policy.prometheus,
            policy=_shared(policy),
        )

    def pack(self) -> str:
        """The plan as text for a status: compressed JSON, base64."""
        return base64.b64encode(zlib.compress(canonical(_data(self)), level=9)).decode("ascii")

    @staticmethod
    @lru_cache(_REMEMBERED)
    def unpack(text: str) -> "Plan":
        """The inverse of `pack`. Raises PlanError when the text is damaged."""
        try:
            plan = Plan.model_validate_json(zlib.decompress(base64.b64decode(text, validate=True)))
        except (ValueError, zlib.error) as error:
            raise PlanError("the snapshot in status.rollout cannot be read") from error
        return plan.model_copy(update={"policy": _shared(plan.policy)})

    @cached_property
    def judged_by(self) -> Policy:
        """What the judge works with in a rollout by this plan."""
        return _judged_by(self.policy, self.planned_ticks())

    def digest(self) -> str:
        """Hash of all that is copied but the arms: it changes with policy, ladder and traffic."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        data = _data(self)
        return digest({name: value for name, value in data.items() if name not in ("stable", "canary")})

    def planned_ticks(self) -> int:
        """Length of the rollout in ticks if every step is promoted when its window elapses; at least 1."""
        total = sum((step.window for step in self.ladder), timedelta())
        return max(1, round(total / self.interval))


@lru_cache(_POLICIES)
def _shared(policy: CanaryPolicySpec) -> CanaryPolicySpec:
    """The first of equal policies: hundreds of rollouts follow the same one, and each would have its own otherwise."""
    return policy


@lru_cache(_POLICIES)
def _judged_by(policy: CanaryPolicySpec, planned_ticks: int) -> Policy:
    return judge_policy(policy, planned_ticks)


def release_of(spec: CanaryDeploymentSpec) -> str:
    """Hash of what makes a release: stable, canary and revision. Another value starts a new rollout."""
    return digest({"stable": _data(spec.stable), "canary": _data(spec.canary), "revision": spec.revision})


def canonical(data: Any) -> bytes:
    """JSON in the one form that hashes are made of: sorted keys, no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data: Any) -> str:
    """A short hash (SHA-256, cut) of `data` in its canonical form."""
    return hashlib.sha256(canonical(data)).hexdigest()[:_DIGEST]


def _data(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)

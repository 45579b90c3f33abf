"""The status of a CanaryDeployment: what the operator knows, for people, for tools and for its own restart."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from serinus.api.lists import Distinct
from serinus.api.model import Lenient, slotted
from serinus.api.outbox import OutboxStatus
from serinus.api.override import OverrideStatus


class Phase(StrEnum):
    """Where a rollout stands. The last three are its ends."""

    PENDING = "Pending"
    WARMING_UP = "WarmingUp"
    PROGRESSING = "Progressing"
    HOLDING = "Holding"
    PAUSED = "Paused"
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"

    @property
    def is_end(self) -> bool:
        """Whether a rollout in this phase is over."""
        return self in (Phase.PROMOTED, Phase.ROLLED_BACK, Phase.FAILED)


VerdictWord = Literal["promote", "hold", "rollback"]
RowVerdict = Literal["worse", "within tolerance", "better", "undecided", "no data"]

Percent = Annotated[int, Field(ge=0, le=100)]


class VerdictStatus(Lenient):
    """The latest verdict and why."""

    verdict: VerdictWord = Field(description="promote, hold or rollback.")
    reason: str = Field(description="One CamelCase word for tools, for example WaitingForRequests.")
    message: str = Field(description="The reason in a sentence, with the measured difference.")
    time: datetime = Field(description="When it was given.")


@slotted
class ArmStatus:
    """One arm's counts of a metric, summed over the step."""

    total: float = Field(description="Requests (or other units) counted in this step.")
    events: float = Field(description="How many of them were events, for example errors.")
    estimate: float | None = Field(default=None, description="events / total; absent where total is 0.")


@slotted
class RowStatus:
    """A metric's row of the comparison (R21)."""

    metric: str = Field(description="The metric's name in the policy; of a latency with the quantile: latency p99.")
    kind: str = Field(description="proportion, latency, distribution, rate, gauge or restarts.")
    verdict: RowVerdict = Field(description="worse, within tolerance, better, undecided or no data.")
    missing: str | None = Field(default=None, description="Which kind of data is missing, where some is.")
    canary: ArmStatus = Field(description="The canary's counts.")
    stable: ArmStatus = Field(description="The stable's counts.")
    difference: float | None = Field(default=None, description="canary minus stable, in the metric's unit.")
    relative: float | None = Field(default=None, description="difference / stable; absent where stable is 0.")
    low: float | None = Field(default=None, description="Lower end of the confidence interval; absent if unbounded.")
    high: float | None = Field(default=None, description="Upper end of the confidence interval; absent if unbounded.")
    confidence: float = Field(description="Coverage of the interval at all looks together, for example 0.99.")
    p_value: float = Field(description="Anytime-valid p-value of the regression: min(1, 1 / largest wealth).")
    tolerance: str = Field(description="The regression beyond which the canary is rolled back, as text.")
    margin: str = Field(description="The regression that a promotion must rule out, as text.")
    gating: bool = Field(description="Whether the row can block a promotion or roll back.")
    rollback: float = Field(description="How far the wealth is on its way to rollback: 0 to 1.")
    promote: float = Field(description="How far the wealth is on its way to promotion: 0 to 1.")
    phi: float | None = Field(
        default=None,
        description="How many times more the counts vary than independent requests would; absent: unknown, untempered.",
    )
    effective: float | None = Field(
        default=None, description="The canary's requests, for as many as they count where they cluster: total / phi."
    )
    worse_by: float | None = Field(
        default=None, description="How much worse the canary would have had to be to be rolled back."
    )
    better_by: float | None = Field(
        default=None, description="How much better the canary would have had to be to be promoted."
    )
    tested: str = Field(description="What was compared, in words, and what the test relies on besides counts.")
    reporter: str | None = Field(
        default=None, description="Whose of Istio's metrics were read: source or destination; absent for other queries."
    )


@slotted
class RecordStatus:
    """A record of the log, summarised; the full one is a JSON line on the operator's standard output."""

    id: str = Field(description="Names the record: the rollout and a running number.")
    time: datetime = Field(description="When it was taken.")
    actor: str = Field(description="serinus, or who asked for an override.")
    verdict: str = Field(description="What was decided: start, promote, hold, rollback, ...")
    reason: str = Field(description="One CamelCase word for tools.")
    weight_before: Percent = Field(description="Percent of the traffic meant for the canary before it.")
    weight_after: Percent = Field(description="Percent of the traffic meant for the canary after it.")
    hash: str = Field(description="SHA-256 of the full record, which contains the hash of the one before.")


class HookStatus(Lenient):
    """What a hook answered last to one question of a rollout."""

    key: str = Field(description="Names the question: rollout, moment, step and number of the hook.")
    word: Literal["consent", "veto", "failed"] = Field(description="consent, veto or failed.")
    reason: str = Field(default="", description="The receiver's reason, or why there was no answer.")
    time: datetime = Field(description="When.")
    tries: int = Field(default=0, description="How often it was asked.")
    vetoes: int = Field(default=0, description="How often it said no.")


class WorkloadStatus(Lenient):
    """What an arm's workload runs in this rollout."""

    template: str = Field(description="Hash of its pod template.")
    images: tuple[str, ...] = Field(default=(), description="The images of its containers.")


class WarmUpStatus(Lenient):
    """How the canary's endpoints answered the requests of the warm-up."""

    endpoints: int = Field(description="How many endpoints were sent requests.")
    answered: int = Field(description="How many requests were answered as they must be.")
    failure: str = Field(default="", description="What failed for good, if anything did.")


class RolloutStatus(Lenient):
    """The attempt that is under way, or the last one."""

    id: str = Field(description="Names this attempt; overrides must give it.")
    started_at: datetime = Field(description="When it began, warm-up included.")
    ended_at: datetime | None = Field(default=None, description="When it was promoted, rolled back or failed.")
    release: str = Field(description="Hash of what makes a release: stable, canary and revision.")
    policy_hash: str = Field(description="Hash of the policy, ladder and traffic, copied at the start.")
    snapshot: str = Field(description="Policy, ladder and traffic as copied at the start; compressed.")
    step: int = Field(default=0, description="Index of the step, from 0.")
    step_started_at: datetime | None = Field(default=None, description="When this step's weight was on the mesh.")
    stable_workload: WorkloadStatus | None = Field(default=None, description="What the stable's workload runs.")
    canary_workload: WorkloadStatus | None = Field(default=None, description="What the canary's workload runs.")
    warm_up_started_at: datetime | None = Field(default=None, description="When the warm-up began.")
    warm_up: WarmUpStatus | None = Field(default=None, description="How its requests were answered.")
    settling_since: datetime | None = Field(default=None, description="Since when a subset's change is on its way.")
    decision: str = Field(default="", description="Id of the decision whose weights are or were to be written.")
    observed: str = Field(default="", description="Id of the last decision whose weights were seen on the mesh.")
    judged_until: datetime | None = Field(default=None, description="The end of the newest tick that has been judged.")
    judge: str = Field(default="", description="The judge's state (wealth and counts); packed, for restarts.")
    undecided_at: datetime | None = Field(default=None, description="When the step's deadline passed, if it has.")
    unready_since: datetime | None = Field(
        default=None, description="Since when the canary has had weight and no ready endpoint."
    )
    repairs: int = Field(default=0, description="How often weights or subsets of others were repaired in a row.")
    repaired_at: datetime | None = Field(default=None, description="When that was last done.")
    hooks: tuple[HookStatus, ...] = Field(default=(), description="What hooks have answered in this rollout.")
    held_by: str | None = Field(default=None, description="Who holds the rollout: no promotion until resume.")
    approved_step: int | None = Field(default=None, description="Index of the step whose gate was opened last.")
    last_hash: str = Field(default="", description="Hash of the last record: the next one names it.")


class AnswerStatus(OverrideStatus):
    """What came of an override, until that itself says so."""

    uid: str = Field(description="The override's.")
    name: str = Field(description="Its name.")


@slotted
class ConditionStatus:
    """A condition in Kubernetes' standard form."""

    type: str = Field(description="What it is about, for example Ready.")
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    reason: str = Field(description="One CamelCase word for tools.")
    message: str = Field(default="", description="The reason in a sentence.")
    last_transition_time: datetime = Field(description="When its status last changed.")
    observed_generation: int = Field(default=0, description="The generation of the spec that it speaks of.")


@slotted
class QueryStatus:
    """What Prometheus was asked for a metric."""

    metric: str = Field(description="The metric's name in the policy.")
    query: str = Field(description="What was counted, of both arms, to be pasted into Prometheus; a long one is cut.")


class PrintedStatus(Lenient):
    """Texts for kubectl's columns."""

    step: str = Field(default="", description="3/5")
    next: str = Field(default="", description="When the step can end at the earliest, in UTC: 14:25Z.")
    share: str = Field(default="", description="Share of the requests that the canary got: 24.8 %.")
    stable: str = Field(default="", description="Labels or subset of the stable arm.")
    canary: str = Field(default="", description="Labels or subset of the canary arm.")


class CanaryDeploymentStatus(Lenient):
    """What the operator knows of a CanaryDeployment; at most 16 KB."""

    observed_generation: int = Field(default=0, description="The generation of the spec that this status speaks of.")
    phase: Phase = Field(
        default=Phase.PENDING,
        description="Pending, WarmingUp, Progressing, Holding, Paused, Promoted, RolledBack or Failed.",
    )
    rollout: RolloutStatus | None = Field(default=None, description="The attempt under way, or the last one.")
    step: int | None = Field(default=None, description="Step of the ladder, from 1.")
    steps: int | None = Field(default=None, description="Number of steps of the ladder.")
    weight: Percent = Field(default=0, description="Percent of the traffic meant for the canary.")
    observed_share: float | None = Field(default=None, description="Percent of this step's requests that it got.")
    observed_requests: int | None = Field(default=None, description="How many requests that share is of.")
    next_step_time: datetime | None = Field(default=None, description="When the step can end at the earliest.")
    verdict: VerdictStatus | None = Field(default=None, description="The latest verdict and why.")
    comparison: tuple[RowStatus, ...] = Field(default=(), description="Every metric at this moment, the worse first.")
    history: tuple[RecordStatus, ...] = Field(default=(), description="The last 20 records, summarised; newest last.")
    answers: tuple[AnswerStatus, ...] = Field(
        default=(), description="Overrides whose own status is yet to be written."
    )
    outbox: OutboxStatus = Field(default=OutboxStatus(), description="Messages that are yet to be delivered.")
    conditions: Annotated[tuple[ConditionStatus, ...], Distinct("type")] = Field(
        default=(), description="Ready, Reconciling, Stalled, MetricsAvailable, TrafficAligned, Promoted and others."
    )
    queries: Annotated[tuple[QueryStatus, ...], Distinct("metric")] = Field(
        default=(), description="What Prometheus was asked for each metric."
    )
    printed: PrintedStatus = Field(default=PrintedStatus(), description="Texts for kubectl's columns.")

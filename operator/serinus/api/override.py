"""CanaryOverride: a person's instruction for one rollout, with a reason, that outranks the judge's verdict (R27)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serinus.api.metadata import Metadata
from serinus.api.model import Lenient
from serinus.api.names import Subdomain, Text
from serinus.api.rules import Ruled, rule

Action = Literal["promote", "rollback", "hold", "resume", "approve"]

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
"""Why somebody overrides; that it is more than a placeholder is the admission policy's to see (deploy/base)."""


class CanaryOverrideSpec(Ruled):
    """What is asked for, of which rollout, by whom and why."""

    target: Subdomain = Field(description="The CanaryDeployment, in the override's namespace.")
    rollout: Text = Field(
        min_length=1,
        description="Id of the rollout that it is meant for (status.rollout.id): it does nothing to another.",
    )
    action: Action = Field(
        description="promote: to the next step, whatever the verdict; rollback: everything to stable, also after the "
        "promotion; hold: no promotion until resume; resume: end of hold; approve: let the step pass its gate."
    )
    to: Literal[100] | None = Field(default=None, description="Of promote: 100, all the way. Absent: the next step.")
    reason: Reason = Field(description="Why, for those who read the record.")
    requested_by: Text = Field(
        min_length=1, description="Who asks: the user as the API server knows him, which sees to it that it is true."
    )

    @rule("to", cel="!has(self.to) || self.action == 'promote'")
    def _only_promotions_go_somewhere(self) -> bool:
        """only promote takes it"""
        return self.to is None or self.action == "promote"

    @rule(cel="self == oldSelf")
    def _immutable(self) -> bool:
        """is immutable: create another override"""
        return True  # a manifest by itself has no past; the API server compares


class OverrideStatus(Lenient):
    """What came of an override."""

    outcome: Literal["Applied", "Refused"] = Field(description="Applied: it took effect; Refused: it never will.")
    message: str = Field(description="What was done, or why nothing was.")
    time: datetime = Field(description="When.")
    record: str | None = Field(default=None, description="Id of the record in the deployment log, if it took effect.")


class CanaryOverride(Lenient):
    """A person's instruction for one rollout, with a reason, that outranks the verdict; on record."""

    api_version: Literal["serinus.io/v1alpha1"]
    kind: Literal["CanaryOverride"]
    metadata: Metadata
    spec: CanaryOverrideSpec
    status: OverrideStatus | None = None

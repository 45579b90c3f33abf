"""CanaryRecord: a record that the deployment log's store does not have yet; the operator writes and deletes it."""

from typing import Literal

from pydantic import Field

from serinus.api.metadata import Metadata
from serinus.api.model import Lenient
from serinus.api.rules import Ruled, rule


class CanaryRecordSpec(Ruled):
    """The record, as its line in the log."""

    packed: str = Field(max_length=1_000_000, description="The record's line: compressed, base64.")

    @rule(cel="self == oldSelf")
    def _immutable(self) -> bool:
        """is immutable"""
        return True  # the API server compares


class CanaryRecord(Lenient):
    """A record on its way to the deployment log's store. Written and deleted by the operator."""

    api_version: Literal["serinus.io/v1alpha1"]
    kind: Literal["CanaryRecord"]
    metadata: Metadata
    spec: CanaryRecordSpec

"""What Serinus reads of an object's metadata."""

from datetime import datetime

from pydantic import Field

from serinus.api.model import Lenient


class Metadata(Lenient):
    """Names an object; what the API server adds is absent in a manifest from a file."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    deletion_timestamp: datetime | None = None

"""References to other objects."""

from pydantic import Field

from serinus.api.names import Subdomain
from serinus.api.rules import Ruled


class ObjectRef(Ruled):
    """Names an object in the CanaryDeployment's namespace."""

    name: Subdomain = Field(description="Its name.")

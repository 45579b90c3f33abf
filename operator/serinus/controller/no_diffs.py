"""kopf's memory of what an object was like before: none, for no handler here compares."""

from collections.abc import Iterable

import kopf
from kopf import BodyEssence


class NoDiffs(kopf.DiffBaseStorage):
    """Keeps nothing. Without it kopf copies every object at every event, status and all, to find what has changed."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[object] | None = None) -> BodyEssence:
        """Nothing of an object counts."""
        return BodyEssence()

    def fetch(self, *, body: kopf.Body) -> BodyEssence | None:
        """Nothing is known."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: BodyEssence) -> None:
        """Nothing is written into the object."""

"""What the rooms around the reconcile know of it."""

from typing import Protocol

from serinus.controller.cache import Key


class Reconciles(Protocol):
    """The reconcile, and its memory."""

    async def reconcile(self, key: Key) -> float | None:
        """Bring the object a step further; the Unix time at which to call again, None if only a change matters."""

    def forget(self, key: Key) -> None:
        """Remember nothing of the object: its status in the cluster is the newest."""

    def is_behind(self, key: Key) -> bool:
        """Whether ticks of the object are left that could have been judged."""

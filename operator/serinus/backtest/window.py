"""A window of the past: what a rollout would have seen, had both arms been the stable."""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.judge import Evidence, Past


@dataclass(frozen=True)
class Split:
    """How two arms were made of the stable: of its pods in halves, or where fewer than two can be told apart, of its
    requests, each of which falls to one arm or the other by chance (`pods` below 2).
    """

    pods: int

    @property
    def is_by_pods(self) -> bool:
        """Whether what differs between pods is seen."""
        return self.pods > 1


@dataclass(frozen=True)
class Window:
    """`begin`: Unix seconds. `ticks`: each tick's evidence by metric, the guard's among it; all equally long.

    `past`: what the operator would have known of the stable when it began.
    """

    begin: float
    ticks: tuple[Mapping[str, Evidence], ...]
    past: Mapping[str, Past]
    split: Split

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all is known of it."""
        return all(each.missing is not None for tick in self.ticks for each in tick.values())

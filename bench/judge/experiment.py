"""An experiment: what is simulated, how often, and which rows follow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from numpy.random import Generator

from bench.judge.rollouts import Ends
from bench.judge.row import Row

Run = Callable[[int, Generator], Mapping[str, Ends]]
"""So many rollouts, and how they ended: for each of those that the experiment compares, by name."""


@dataclass(frozen=True)
class Experiment:
    """`rollouts` rollouts, in whole chunks of `chunk` that have a history of their own."""

    name: str
    run: Run
    rows: Callable[[Mapping[str, Ends]], Iterable[Row]]
    rollouts: int
    chunk: int = 1000

    def smaller(self, divisor: int) -> "Experiment":
        """With fewer rollouts, for a quick look."""
        rollouts = max(100, self.rollouts // divisor)
        return Experiment(self.name, self.run, self.rows, rollouts, min(self.chunk, rollouts))

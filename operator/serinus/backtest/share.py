"""So many of so many, and what that says of the probability behind it."""

from dataclasses import dataclass

from scipy.special import betaincinv

CONFIDENCE = 0.95
"""Of each bound by itself."""


@dataclass(frozen=True)
class Share:
    """`count` of `of` windows; its bounds are exact (Clopper, Pearson 1934)."""

    count: int
    of: int

    @property
    def low(self) -> float:
        """At least so probable."""
        return float(betaincinv(self.count, self.of - self.count + 1, 1 - CONFIDENCE)) if self.count else 0.0

    @property
    def high(self) -> float:
        """At most so probable."""
        return float(betaincinv(self.count + 1, self.of - self.count, CONFIDENCE)) if self.count < self.of else 1.0

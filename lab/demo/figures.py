"""A measured figure beside the bound that was promised for it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured. Where a bound is given and what it measures never happened (no value), it is missed."""

    name: str
    value: float | None
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether anything was promised for it."""
        return self.at_most is not None or self.at_least is not None

    @property
    def kept(self) -> bool:
        """Whether the value is within its bounds."""
        if self.value is None:
            return not self.is_bounded
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def line(self) -> str:
        """The figure and its bound in at most 80 columns."""
        value = "never" if self.value is None else f"{self.value:.2f}".rstrip("0").rstrip(".")
        bounds = [f"at most {self.at_most:g}"] if self.at_most is not None else []
        bounds += [f"at least {self.at_least:g}"] if self.at_least is not None else []
        verdict = (f"{' and '.join(bounds)}: {'kept' if self.kept else 'MISSED'}") if bounds else ""
        return f"{self.name:<42} {value:>7} {self.unit:<9} {verdict}".rstrip()

    @property
    def summary(self) -> dict[str, object]:
        """The figure for a JSON file."""
        return {**asdict(self), "kept": self.kept}


def tally(figures: Iterable[Figure]) -> tuple[str, int]:
    """What a benchmark ends with: how many figures are within their bounds, and the exit code."""
    bounded = [figure for figure in figures if figure.is_bounded]
    failed = len(missed(bounded))
    return f"{len(bounded) - failed} passed, {failed} failed", 1 if failed else 0


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """Those that are not within their bounds."""
    return [figure for figure in figures if not figure.kept]

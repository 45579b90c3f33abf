"""How all rules did on the same traffic: one line each, and what the columns mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bench.judge import measures
from bench.judge.detection import SAME_BUT_WORSE
from bench.judge.kinds import AT_TOLERANCE, LOOKS, SAME
from bench.judge.policies import ALPHA
from bench.judge.rollouts import SERINUS, Ends
from bench.judge.row import Estimate, Unit, shown
from bench.judge.traffic import Errors

SHOWN = (0.025, 0.03, 0.05, 0.20)
"""Error rates whose detection times are printed; the plot has more."""

_SURE = 3.0
"""Standard errors by which a rule must be ahead to be called better."""

_HEADING = f"""\
{"":<23}{"rolled back":>16}{"at the tolerance":>17}{"ticks to rollback at":>24}
{"":<23}{"1 %":>8}{"3 %":>8}{"back":>9}{"goes on":>8}""" + "".join(f"{f'{100 * rate:g} %':>6}" for rate in SHOWN)

_FOOTNOTE = """\
% rolled back of identical canaries where both arms fail 1 % or 3 %; of canaries
at the tolerance (2 %): rolled back, or let go on. Mean ticks: 240 where never.
! breaks α = 1 % at the tolerance: its speed is bought. * better than Serinus"""


@dataclass(frozen=True)
class Cell:
    """An estimate; `is_better` than the judge's by three standard errors."""

    estimate: Estimate
    unit: Unit
    is_better: bool


@dataclass(frozen=True)
class Standing:
    """A rule: rollbacks where nothing is wrong, how often it lets a canary at the tolerance go on, and its speed."""

    rule: str
    keeps_alpha: bool
    cells: tuple[Cell, ...]

    @property
    def line(self) -> str:
        """At most 80 columns; a rule that breaks α is marked, and cannot be better."""
        widths = (8, 8, 9, 8, *[6] * len(SHOWN))
        cells = [
            f"{shown(cell.estimate.value, cell.unit)}{'*' if cell.is_better and self.keeps_alpha else ''}"
            for cell in self.cells
        ]
        name = self.rule if self.keeps_alpha else f"{self.rule} !"
        return f"{name:<23}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))

    @property
    def summary(self) -> dict[str, object]:
        """For a JSON file."""
        return asdict(self)


def table(places: Sequence[Standing]) -> str:
    """All of them, in at most 80 columns."""
    return "\n".join([_HEADING, *(standing.line for standing in places), _FOOTNOTE])


def standings(races: Mapping[Errors, Mapping[str, Ends]]) -> Iterator[Standing]:
    """The judge's first."""
    own = _estimates(races, SERINUS)
    for rule in races[SAME]:
        estimates = _estimates(races, rule)
        keeps_alpha = estimates[2].value - _SURE * estimates[2].error <= ALPHA
        cells = [
            Cell(estimate, "%" if number < _SHARES else "ticks", _is_below(estimate, other))
            for number, (estimate, other) in enumerate(zip(estimates, own, strict=True))
        ]
        yield Standing(rule, keeps_alpha, tuple(cells))


_SHARES = 4
"""The first cells; the others are times."""


def _estimates(races: Mapping[Errors, Mapping[str, Ends]], rule: str) -> list[Estimate]:
    at_tolerance = races[AT_TOLERANCE][rule]
    return [
        measures.rolled_back(races[SAME][rule]),
        measures.rolled_back(races[SAME_BUT_WORSE][rule]),
        measures.rolled_back(at_tolerance),
        measures.promoted(at_tolerance),
        *(measures.ticks_to_rollback(races[Errors(canary=rate)][rule], LOOKS) for rate in SHOWN),
    ]


def _is_below(one: Estimate, other: Estimate) -> bool:
    return one.value + _SURE * float(np.hypot(one.error, other.error)) < other.value

"""The two plots of docs/statistics.md."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.judge import measures
from bench.judge.detection import EFFECTS, needed
from bench.judge.kinds import AT_TOLERANCE, LOOKS
from bench.judge.policies import ALPHA
from bench.judge.race import DEFAULTS
from bench.judge.rollouts import SERINUS, Ends
from bench.judge.traffic import Errors

DETECTION = "statistics-detection.svg"
FALSE_ROLLBACKS = "statistics-false-rollbacks.svg"

_OWN = {"color": "black", "linewidth": 2.5}

Races = Mapping[Errors, Mapping[str, Ends]]


def draw(races: Races, directory: Path) -> None:
    """Write both plots as SVG; the same figures give the same bytes."""
    with mpl.rc_context({"svg.hashsalt": "serinus", "svg.fonttype": "none", "font.size": 9}):
        _write(_detection(races), directory / DETECTION)
        _write(_false_rollbacks(races), directory / FALSE_ROLLBACKS)


def _detection(races: Races) -> Figure:
    """Mean ticks to a rollback against the canary's error rate, for the rules that keep α."""
    figure, axes = _axes("canary's error rate, %; stable 1 %, tolerance 2 %", "mean ticks to rollback")
    rates = 100 * np.array(EFFECTS)
    loose = {rule.name for rule in DEFAULTS}
    for rule in races[AT_TOLERANCE]:
        if rule not in loose:
            ticks = [measures.ticks_to_rollback(races[Errors(canary=rate)][rule], LOOKS).value for rate in EFFECTS]
            axes.plot(rates, ticks, label=rule, **(_OWN if rule == SERINUS else {"linewidth": 1}))
    axes.plot(rates, [needed(rate) for rate in EFFECTS], "k:", label="no test can be faster")
    axes.set(xscale="log", yscale="log", xticks=rates, xticklabels=[f"{rate:g}" for rate in rates])
    axes.set(yticks=[1, 10, 100], yticklabels=["1", "10", "100"])
    axes.minorticks_off()
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _false_rollbacks(races: Races) -> Figure:
    """Share of the canaries at the tolerance that were rolled back by each look, by the rules as documented."""
    figure, axes = _axes("looks, one each 15 s", "rolled back although within tolerance, %")
    looks = np.arange(1.0, LOOKS + 1)
    for rule in (SERINUS, *(each.name for each in DEFAULTS)):
        share = measures.rolled_back_by(races[AT_TOLERANCE][rule], looks)
        axes.plot(looks, 100 * share, label=rule, **(_OWN if rule == SERINUS else {"linewidth": 1}))
    axes.axhline(100 * ALPHA, color="black", linestyle=":", label=f"α = {100 * ALPHA:g} %")
    axes.set(yscale="symlog", ylim=(0, 110), yticks=[0, 1, 10, 100], yticklabels=["0", "1", "10", "100"])
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    axes = figure.add_subplot(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _write(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})

"""`make bench-judge`: measure, print the tables, write them and the plots to docs/; 1 if a bound is missed."""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.judge import detection, exact, kinds, page, plots, speed, standings
from bench.judge.pool import SEED, run_all, seed_of
from bench.judge.race import DEFAULTS, tuned
from bench.judge.row import Row, table
from bench.judge.rules import Rule

OUT = Path("bench-judge.json")
DOCS = Path(__file__).parents[2] / "docs"

QUICK = 20
"""So many times fewer rollouts for a quick look."""


def main() -> int:
    """Measure: 0 if every row is within its bound, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} times fewer rollouts; leaves docs/ alone")
    quick = parser.parse_args().quick
    fewer = QUICK if quick else 1
    console = Console(markup=False, highlight=False, soft_wrap=True)
    begun = time.monotonic()

    def tell(done: str) -> None:
        console.print(f"{time.monotonic() - begun:5.0f} s  {done}")

    # Alone on the machine, before all cores are busy.
    rows = {"speed": list(speed.rows(40 // fewer, np.random.default_rng(seed_of("speed"))))}
    rows["exact"] = [exact.expectations(2000 // fewer, np.random.default_rng(seed_of("exact")))]
    tell("exact expectations, and the time of a tick")
    rules = (*DEFAULTS, *tuned(20_000, np.random.default_rng(seed_of("tuned"))))
    tell("the thresholds that suit other rules best")

    races = detection.races(rules)
    planned = [*races.values(), *kinds.experiments(), *detection.experiments()]
    planned = [experiment.smaller(fewer) for experiment in planned] if quick else planned
    ends = run_all(planned, tell)
    rows |= {experiment.name: list(experiment.rows(each)) for experiment, each in zip(planned, ends, strict=True)}
    raced = dict(zip(races, ends[: len(races)], strict=True))
    places = list(standings.standings(raced))

    OUT.write_text(json.dumps(_summary(rows, places, rules), indent=1, ensure_ascii=False) + "\n")
    every = [row for each in rows.values() for row in each]
    bounded = [row for row in every if row.is_bounded]
    failed = sum(not row.is_kept for row in bounded)
    tables = f"{table(every)}\n\n{standings.table(places)}"
    if not quick:
        plots.draw(raced, DOCS)
        page.write_tables(DOCS / "statistics.md", tables)
    console.print(f"\n{tables}\n\n{len(bounded) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _summary(
    rows: Mapping[str, Sequence[Row]], places: Sequence[standings.Standing], rules: Sequence[Rule]
) -> dict[str, object]:
    """All that was measured, for a JSON file: each row with the seed that reproduces it."""
    return {
        "seed": SEED,
        "rows": [row.summary(seed_of(experiment)) for experiment, each in rows.items() for row in each],
        "rules": [rule.summary for rule in rules],
        "standings": [standing.summary for standing in places],
    }


if __name__ == "__main__":
    raise SystemExit(main())

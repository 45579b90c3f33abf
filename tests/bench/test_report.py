"""What is printed and drawn says what was measured."""

from pathlib import Path

import numpy as np
import pytest

from bench.judge import kinds, measures, page, plots
from bench.judge.detection import EFFECTS, SAME_BUT_WORSE, races
from bench.judge.detection import experiments as detections
from bench.judge.experiment import Experiment
from bench.judge.kinds import AT_TOLERANCE, SAME
from bench.judge.pool import run_all
from bench.judge.race import DEFAULTS, tuned
from bench.judge.rollouts import NEVER, SERINUS, Ends
from bench.judge.row import Estimate, Row, Section, table
from bench.judge.standings import standings
from bench.judge.standings import table as standings_table
from bench.judge.traffic import Errors


def ends(rollback: list[float], promotion: list[float] | None = None) -> Ends:
    return Ends(np.array(rollback), np.array(promotion or [NEVER] * len(rollback)))


def test_a_row_is_missed_when_its_value_is_beyond_its_bound() -> None:
    estimate = Estimate(0.012, 0.001, 20_000)
    assert not Row(Section.FALSE_ROLLBACK, "false rollback", estimate, "%", at_most=0.01).is_kept
    assert Row(Section.FALSE_ROLLBACK, "false rollback", estimate, "%", at_most=0.012).is_kept
    assert not Row(Section.IDENTICAL, "promoted", estimate, "%", at_least=0.99).is_kept
    assert Row(Section.FALSE_ROLLBACK, "false rollback", estimate, "%", at_most=0.01).line.split() == (
        ["false", "rollback", "1.2", "±0.1", "%", "≤", "1", "20000", "MISSED"]
    )


def test_what_never_happened_counts_as_the_time_it_was_watched() -> None:
    assert measures.ticks_to_rollback(ends([1, 3, NEVER]), watched=8).value == 4
    assert measures.rolled_back(ends([1, 3, NEVER]), within=2).value == pytest.approx(1 / 3)


def test_a_late_regression_is_timed_from_its_beginning() -> None:
    assert measures.ticks_to_rollback(ends([102, 104, 7]), watched=240, good_ticks=100).value == 3


def test_every_row_fits_eighty_columns() -> None:
    """All of them, with few rollouts: as wide as they ever get."""
    rules = tuned(200, np.random.default_rng(1))
    every = [*races(rules).values(), *kinds.experiments(), *detections()]
    some = {SERINUS: ends([1.0, NEVER], [NEVER, 2.0]), "early": ends([1.0, 2.0]), "late": ends([500.0, 501.0])}
    rows = [row for experiment in every for row in experiment.rows(some)]
    lines = table(rows).splitlines()
    assert len(lines) > len(rows) > 50
    assert [line for line in lines if len(line) > 80] == []


def test_a_faster_rule_is_called_better_only_if_it_keeps_alpha() -> None:
    slow, fast = ends([5.0] * 400), ends([1.0] * 400)
    never = ends([NEVER] * 400)
    traffics = {SAME: never, SAME_BUT_WORSE: never, AT_TOLERANCE: never}
    found = {traffic: {SERINUS: each, "sound": each, "loose": each} for traffic, each in traffics.items()}
    found |= {Errors(canary=rate): {SERINUS: slow, "sound": fast, "loose": fast} for rate in EFFECTS}
    found[AT_TOLERANCE] = {SERINUS: never, "sound": never, "loose": fast}
    places = list(standings(found))
    own, sound, loose = (place.line for place in places)
    assert "*" not in own
    assert sound.count("*") == 4
    assert "loose !" in loose and "*" not in loose
    assert max(len(line) for line in standings_table(places).splitlines()) <= 80


def test_the_plots_are_the_same_for_the_same_figures(tmp_path: Path) -> None:
    names = (SERINUS, *(rule.name for rule in DEFAULTS), "another")
    found = {
        traffic: {name: ends([3.0, 5.0]) for name in names}
        for traffic in (AT_TOLERANCE, *(Errors(canary=rate) for rate in EFFECTS))
    }
    drawn = []
    for directory in (tmp_path / "one", tmp_path / "other"):
        directory.mkdir()
        plots.draw(found, directory)
        drawn.append([(directory / name).read_bytes() for name in (plots.DETECTION, plots.FALSE_ROLLBACKS)])
    assert drawn[0] == drawn[1]
    assert b"another" in drawn[0][0] and b"Flagger" in drawn[0][1]


def test_the_page_has_the_last_tables_and_keeps_its_words(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- make bench-judge -->\n```text\nold\n```\nafter\n")
    for tables in ("new\ntables", "newer"):
        page.write_tables(path, tables)
    assert path.read_text() == "before\n<!-- make bench-judge -->\n```text\nnewer\n```\nafter\n"


def test_a_page_without_a_place_for_tables_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("words\n")
    with pytest.raises(ValueError, match="must have one block"):
        page.write_tables(path, "tables")


def _coin(rollouts: int, rng: np.random.Generator) -> dict[str, Ends]:
    return {SERINUS: Ends(rng.random(rollouts), rng.random(rollouts))}


def test_the_same_seed_gives_the_same_ends() -> None:
    experiment = Experiment("coin", _coin, lambda ends: (), rollouts=250, chunk=100)
    told: list[str] = []
    one, other = (run_all([experiment], told.append)[0][SERINUS] for _ in range(2))
    assert (one.rollback == other.rollback).all()
    assert len(set(one.rollback)) == 300
    assert told == ["[ 1/1] coin"] * 2

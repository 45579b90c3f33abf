"""What the demonstration shows: everything that matters, on 80 columns; without a terminal, a line for each change."""

import time
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from lab.demo.load import LoadSnapshot, VersionCount
from lab.demo.play import news
from lab.demo.release import LADDER, Release
from lab.demo.screen import LINES, WIDTH, View, bar, changes, screen
from lab.demo.show import showing
from lab.demo.watch import Sightings, StateSeen, WeightSeen
from serinus.api.status import ArmStatus, CanaryDeploymentStatus, Phase, RowStatus, VerdictStatus

USERS = LoadSnapshot(0.0, 60.0, (VersionCount("v2", 12000, 23, 0, 0), VersionCount("v3", 40, 19, 0, 0)))
ROW = RowStatus(
    metric="error-guard",
    kind="proportion",
    verdict="within tolerance",
    canary=ArmStatus(total=60, events=12, estimate=0.2),
    stable=ArmStatus(total=540, events=1, estimate=0.002),
    difference=0.198,
    confidence=0.99,
    p_value=0.001,
    tolerance="+1 pp",
    margin="+1 pp",
    gating=True,
    rollback=1.0,
    promote=0.5,
    tested="errors",
)


def verdict(word: str, reason: str, message: str = "") -> VerdictStatus:
    return VerdictStatus(verdict=word, reason=reason, message=message, time=datetime.now(UTC))


def status(phase: Phase = Phase.PROGRESSING, **fields: object) -> CanaryDeploymentStatus:
    return CanaryDeploymentStatus(phase=phase, **{"steps": 5, **fields})


ROLLED_BACK = status(
    Phase.ROLLED_BACK,
    step=2,
    observed_share=24.8,
    comparison=(ROW,),
    verdict=verdict("rollback", "Regression", "error-rate: canary 20.0 %, stable 0.2 %"),
)


def drawn(status: CanaryDeploymentStatus | None, *lines: str) -> str:
    view = View("v3", 83.2, Release("predictor", "v2", "v3"), LADDER, status, USERS, 199.6)
    shown = StringIO()
    Console(width=WIDTH, file=shown, force_terminal=True, color_system=None).print(screen(view, lines))
    return shown.getvalue()


def test_the_screen_shows_ladder_arms_wealth_verdict_and_users() -> None:
    text = drawn(ROLLED_BACK)
    assert "v2 → v3  RolledBack  0 % intended, 24.8 % observed" in text
    assert "10 ✓ ── 25 ✗ ── 50 ── 75 ── 100" in text
    assert "20.00 %" in text
    assert "0.20 %" in text
    assert "+19.8" in text
    assert "▕██████▏ ▕███   ▏ within tolerance" in text
    assert "rollback: Regression: error-rate: canary 20.0 %, stable 0.2 %" in text
    assert "200 requests/s, 12082 in all, 42 failed, 19 of them by v3" in text


def test_the_screen_is_80_columns_wide_whatever_it_shows() -> None:
    for text in (drawn(None), drawn(ROLLED_BACK, "a line " * 30)):
        assert {len(line) for line in text.splitlines()} == {80}


def test_only_the_newest_lines_are_shown() -> None:
    text = drawn(ROLLED_BACK, *(f"line {number};" for number in range(LINES + 1)))
    assert "line 0;" not in text
    assert "line 1;" in text
    assert f"line {LINES};" in text


def test_a_release_that_the_operator_has_not_seen_yet_says_so() -> None:
    assert "the operator has not answered yet" in drawn(None)


def test_the_step_under_observation_is_marked_and_those_before_are_done() -> None:
    assert "10 ✓ ── 25 ✓ ── 50 ● ── 75 ── 100" in drawn(status(step=3))
    assert "75 ✓ ── 100 ✓" in drawn(status(Phase.PROMOTED, step=5))


@pytest.mark.parametrize(
    ("share", "drawn"), [(0, "▕      ▏"), (0.5, "▕███   ▏"), (1, "▕██████▏"), (7, "▕██████▏"), (-1, "▕      ▏")]
)
def test_a_bar_is_as_long_as_the_share_and_never_leaves_its_frame(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_each_change_is_a_line() -> None:
    before = status(step=1, weight=10, verdict=verdict("hold", "WaitingForRequests"))
    after = status(step=2, weight=25, verdict=verdict("promote", "Proven", "shown to be within tolerance"))
    assert list(changes(before, after)) == ["weight 25 %, step 2 of 5", "promote: Proven: shown to be within tolerance"]
    assert list(changes(after, status(Phase.PROMOTED, step=2, weight=25, verdict=after.verdict))) == ["phase Promoted"]


def test_figures_that_change_at_every_tick_are_no_change() -> None:
    before = status(verdict=verdict("hold", "WaitingForRequests 37/100", "37 of 100 requests"))
    after = status(verdict=verdict("hold", "WaitingForRequests 61/100", "61 of 100 requests"))
    assert list(changes(before, after)) == []


def test_news_are_told_once_and_in_order() -> None:
    begun = StateSeen(2.0, "v2", status(step=1, weight=10))
    told = Sightings((WeightSeen(1.0, 0),), (StateSeen(1.0, "v2", status(step=None)),))
    seen = Sightings((*told.weights, WeightSeen(2.1, 10)), (*told.states, begun))
    assert list(news(told, seen)) == ["weight 10 %, step 1 of 5", "VirtualService: 90/10"]
    assert list(news(seen, seen)) == []


def test_without_a_terminal_lines_are_timed_and_no_screen_is_drawn() -> None:
    console = Console(file=StringIO(), width=80)
    with showing(console, time.monotonic()) as show:
        show.say("phase Promoted")
        show.draw(View("v3", 0.0, Release("predictor", "v2", "v3"), LADDER, None, USERS, 0.0))
    assert console.file.getvalue() == "   0.0 s  phase Promoted\n"  # type: ignore[attr-defined]


def test_on_a_terminal_lines_are_part_of_the_screen() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=True)
    with showing(console, time.monotonic()) as show:
        show.say("phase Promoted")
        show.draw(View("v3", 0.0, Release("predictor", "v2", "v3"), LADDER, None, USERS, 0.0))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "phase Promoted" in text
    assert "Serinus" in text

"""What people see: screens as text, at 80 columns, on wide terminals and in pipes (R21, R22, R31)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serinus.api import ConditionStatus, Phase
from serinus.cli.listing import Line, render
from serinus.cli.look import PLAIN, Look
from serinus.cli.report_document import report_of
from serinus.cli.report_text import as_markdown, as_text
from serinus.cli.screen import screen
from serinus.cli.seen import Seen
from tests.cli.objects import NOW, Manifest, ended, manifest, progressing, stalled

NARROW = Look(width=80, colour=False, signs=True)
WIDE = Look(width=140, colour=False, signs=True)


def shown(given: Manifest, look: Look = NARROW, now: datetime = NOW) -> str:
    return "\n".join(screen(Seen.of(given), now, look)) + "\n"


def test_a_rollout_under_way_at_80_columns_R21() -> None:
    assert (
        shown(progressing(manifest()))
        == """\
ml/predictor  version=v1 → version=v2
Progressing, begun 64 min ago, step 3 of 5, 25 % intended, 24.8 % observed of
18212 requests
1 ✓ ── 5 ✓ ── 25 ● ── 50 (gate) ── 100

METRIC       CANARY  STABLE  DIFFERENCE       VERDICT
latency p99  212 ms  180 ms  +32 ms  +17.8 %  undecided
  99 % CI +12 … +55 ms, tolerance +50 ms, rollback 12 %, promote 61 %
error-rate   1.02 %  1.00 %  +0.02 pp         within tolerance
  99 % CI −0.31 … +0.37 pp, tolerance +2 pp, rollback 0 %, promote 100 %
conversion   -       -       -                no data (no series), reported only
  tolerance −3 %

hold (Undecided, 12 s ago): latency p99 212 ms against 180 ms, +32 ms (99 % CI
  +12 to +55, tolerance +50 ms) after 4551 canary requests: not yet shown to be
  within its margin; 5 ms better would be
the step's window ends at 14:22 UTC, in 12 min: no promotion before
"""
    )


def test_a_rollout_under_way_on_a_wide_terminal_R21() -> None:
    table = shown(progressing(manifest()), WIDE).split("\n\n")[1]
    assert (
        table
        == """\
METRIC       CANARY  STABLE  DIFFERENCE       99 % CI           TOLERANCE  ROLLBACK     PROMOTE       VERDICT
latency p99  212 ms  180 ms  +32 ms  +17.8 %  +12 … +55 ms      +50 ms     ▕    ▏ 12 %  ▕██  ▏ 61 %   undecided
error-rate   1.02 %  1.00 %  +0.02 pp         −0.31 … +0.37 pp  +2 pp      ▕    ▏ 0 %   ▕████▏ 100 %  within tolerance
conversion   -       -       -                -                 −3 %       -            -             \
no data (no series), reported only"""
    )


def test_in_a_pipe_there_are_words_instead_of_signs_and_nothing_is_wrapped() -> None:
    lines = shown(progressing(manifest()), PLAIN).splitlines()
    assert lines[2] == "1 done, 5 done, 25 now, 50 (gate), 100"
    headings = "METRIC CANARY STABLE DIFFERENCE 99 % CI TOLERANCE ROLLBACK PROMOTE VERDICT"
    assert " ".join(lines[4].split()) == headings
    assert lines[-2].endswith("not yet shown to be within its margin; 5 ms better would be")
    assert not set("".join(lines)) & set("▕▏█✓●─✗\x1b")


def test_a_rollback_says_why_R05() -> None:
    lines = shown(ended(manifest(), Phase.ROLLED_BACK)).splitlines()
    assert lines[1] == "RolledBack 64 min after its start, step 3 of 5, 0 % intended, 24.8 % observed of"
    assert lines[3] == "1 ✓ ── 5 ✓ ── 25 ✗ ── 50 (gate) ── 100"
    assert lines[-2:] == [
        "rollback (Regression): rolled back: error-rate 6.1 % against 1 %, +5.1 pp (99 %",
        "  CI +2.5 to +16, tolerance +2 pp) after 620 canary requests",
    ]


def test_a_promotion_has_climbed_the_whole_ladder() -> None:
    told = shown(ended(manifest(), Phase.PROMOTED))
    assert "1 ✓ ── 5 ✓ ── 25 ✓ ── 50 ✓ ── 100 ✓\n" in told
    assert told.endswith("promote (LadderCompleted): promoted: version=v2 has all of the traffic\n")


def test_one_that_cannot_begin_says_what_is_in_its_way() -> None:
    assert (
        shown(stalled(manifest()))
        == """\
ml/predictor
Pending, 0 % intended
! Stalled (VirtualServiceNotFound): spec.traffic.virtualServices[0]: no
  VirtualService ml/predictor
"""
    )


def test_one_that_no_operator_has_looked_at_says_so() -> None:
    assert "has not looked at the latest edit yet: is it running?" in shown(manifest(), PLAIN)


def test_a_gate_names_the_command_that_opens_it_R27() -> None:
    given = progressing(manifest())
    given["status"]["rollout"]["step"] = 3
    given["status"]["nextStepTime"] = (NOW - timedelta(minutes=1)).isoformat()
    told = shown(given, PLAIN)
    assert "the step has a gate, until somebody approves: serinus approve predictor -n ml --reason ...\n" in told
    assert "the step's window is over: the evidence decides\n" in told


def test_a_hold_names_who_holds_and_the_command_that_ends_it_R27() -> None:
    given = progressing(manifest(paused=True))
    given["status"]["rollout"]["heldBy"] = "kim"
    told = shown(given, PLAIN)
    assert "held by kim, until somebody resumes: serinus resume predictor -n ml --reason ...\n" in told
    assert "paused, until spec.paused is false\n" in told


def test_a_deadline_says_when_and_what_then() -> None:
    told = shown(progressing(manifest(deadline="3h", whenUndecided="rollback")), PLAIN)
    assert "the step's deadline is at 16:52 UTC; undecided then leads to rollback\n" in told


@pytest.mark.parametrize(
    ("kind", "value", "is_told"),
    [
        ("MetricsAvailable", "False", True),
        ("TrafficAligned", "False", True),
        ("PolicyChanged", "True", True),
        ("MetricsAvailable", "True", False),
        ("PolicyChanged", "False", False),
        ("Reconciling", "True", False),
    ],
)
def test_conditions_are_told_when_something_is_not_as_it_should_be(kind: str, value: str, is_told: bool) -> None:
    condition = ConditionStatus(
        type=kind,
        status=value,
        reason="Why",
        message="because",
        last_transition_time=NOW,
    )
    told = shown(progressing(manifest(), conditions=(condition,)), PLAIN)
    assert (f"! {kind} (Why): because\n" in told) is is_told


def test_no_text_of_an_object_steers_the_terminal() -> None:
    given = progressing(manifest())
    given["status"]["verdict"]["message"] = "\x1b[2Jgone\r\nfake: line"
    assert "\x1b" not in shown(given)
    assert "gone  fake: line" in shown(given)


def test_colours_are_where_they_mean_something_and_nowhere_else() -> None:
    coloured = shown(progressing(manifest()), Look(width=80, colour=True, signs=True))
    assert "\x1b[32mwithin tolerance\x1b[0m" in coloured
    assert "\x1b[33mno data (no series), reported only\x1b[0m" in coloured


def lines(*given: Manifest) -> list[Line]:
    return [Line.of(each, NOW) for each in given]


def test_a_list_at_100_columns_R31() -> None:
    given = lines(
        progressing(manifest("checkout")),
        ended(manifest("predictor"), Phase.ROLLED_BACK),
        stalled(manifest("search")),
        manifest("new"),
    )
    assert (
        "\n".join(render(given, Look(width=100, colour=False, signs=True), with_namespace=False))
        == """\
NAME       PHASE        STEP  WEIGHT  VERDICT   NEXT    AGE  REASON
checkout   Progressing  3/5       25  hold      14:22Z  64m  latency p99 212 ms against 180 ms, +32…
predictor  RolledBack   3/5        0  rollback  14:22Z  64m  rolled back: error-rate 6.1 % against …
search     Stalled      -          0  -         -       64m  spec.traffic.virtualServices[0]: no Vi…
new        -            -          -  -         -       64m"""
    )


def test_a_list_at_80_columns_has_no_room_for_reasons_and_cuts_no_name() -> None:
    given = lines(progressing(manifest("a-canary-deployment-with-a-long-name")), progressing(manifest("b")))
    shown = render(given, NARROW, with_namespace=True)
    assert shown[0].split() == ["NAMESPACE", "NAME", "PHASE", "STEP", "WEIGHT", "VERDICT", "NEXT", "AGE"]
    assert shown[1].split()[:3] == ["ml", "a-canary-deployment-with-a-long-name", "Progressing"]


def test_a_list_in_a_pipe_has_a_line_for_each_with_its_whole_reason() -> None:
    told = render(lines(progressing(manifest()), stalled(manifest("search"))), PLAIN, with_namespace=False)
    assert len(told) == 3
    assert told[1].endswith("5 ms better would be")
    assert told[2].endswith("no VirtualService ml/predictor")


def test_a_report_has_comparison_counterfactual_queries_records_and_plan_R26() -> None:
    told = as_text(report_of(Seen.of(ended(manifest(), Phase.ROLLED_BACK))), PLAIN)
    assert (
        told[: told.index("CONDITIONS" if "CONDITIONS" in told else "THE PLAN")]
        == """\
ml/predictor: version=v1 → version=v2

VERDICT
RolledBack, step 3 of 5, 0 % of the traffic meant for the canary, 24.8 % observed of 18212 requests
rollback (Regression) at 2026-11-21 14:10:00 UTC
rolled back: error-rate 6.1 % against 1 %, +5.1 pp (99 % CI +2.5 to +16, tolerance +2 pp) after 620 canary requests
rollout predictor-0a1b2c3d, begun 2026-11-21 13:06:00 UTC, ended 2026-11-21 14:10:00 UTC
author: jo@example.com

COMPARISON
METRIC       CANARY  STABLE  DIFFERENCE       99 % CI           TOLERANCE  ROLLBACK  PROMOTE  VERDICT
latency p99  212 ms  180 ms  +32 ms  +17.8 %  +12 … +55 ms      +50 ms     12 %      61 %     undecided
error-rate   1.02 %  1.00 %  +0.02 pp         −0.31 … +0.37 pp  +2 pp      0 %       100 %    within tolerance
conversion   -       -       -                -                 −3 %       -         -        \
no data (no series), reported only

WHAT WAS TESTED
latency p99: p99 of the step's requests (as the destination proxy tells)
error-rate: share of failed requests
conversion: share of visits

ANOTHER VERDICT
latency p99: 38 ms worse would have been rolled back; 5 ms better would have been within its margin
error-rate: 4.1 pp worse would have been rolled back

WHAT PROMETHEUS WAS ASKED
# error-rate
sum by (arm) (istio_requests_total{response_code=~"5.."})

RECORDS
TIME                     RECORD                VERDICT   WEIGHT  BY       REASON         HASH
2026-11-21 13:07:00 UTC  predictor-0a1b2c3d/1  start     0 → 1   serinus  WarmedUp       000000000000
2026-11-21 13:30:00 UTC  predictor-0a1b2c3d/2  promote   1 → 5   serinus  WithinMargins  000000000000
2026-11-21 13:52:00 UTC  predictor-0a1b2c3d/3  promote   5 → 25  serinus  WithinMargins  000000000000
2026-11-21 14:10:00 UTC  predictor-0a1b2c3d/4  rollback  25 → 0  serinus  Regression     000000000000

"""
    )
    assert "interval: 15s\nreportEvery: 15m\n" in told


def test_a_report_fits_80_columns() -> None:
    told = as_text(report_of(Seen.of(progressing(manifest()))), NARROW)
    assert max(map(len, told.splitlines())) <= 80
    assert "2026-11-21 13:30:00 UTC\n  record predictor-0a1b2c3d/2, verdict promote, weight 1 → 5, by serinus," in told


def test_a_report_in_markdown_has_tables_and_quotes_and_no_text_becomes_markup() -> None:
    given = progressing(manifest())
    given["status"]["verdict"]["message"] = "<script> | *a*"
    told = as_markdown(report_of(Seen.of(given)))
    assert told.startswith("# ml/predictor: version=v1 → version=v2\n\n## Verdict\n\n- Progressing, step 3 of 5")
    assert (
        "| error-rate | 1.02 % | 1.00 % | +0.02 pp | −0.31 … +0.37 pp | +2 pp | 0 % | 100 % | within tolerance |"
        in told
    )
    assert "```promql\n# error-rate\nsum by (arm)" in told
    assert "- \\<script\\> \\| \\*a\\*" in told


def test_ages_are_in_few_characters() -> None:
    older = {**manifest(), "metadata": {**manifest()["metadata"], "creationTimestamp": "2026-11-09T13:06:00Z"}}
    assert Line.of(older, datetime(2026, 11, 21, 14, tzinfo=UTC)).age == timedelta(days=12, minutes=54)
    assert render([Line.of(older, NOW)], PLAIN, with_namespace=False)[1].split()[-1] == "12d"


def test_the_documentation_shows_what_the_program_does() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert shown(progressing(manifest())) in documentation

"""`serinus backtest`: its screen at 80 columns, its patch, and bad input in one line (R25)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from serinus.backtest import Split, Trial, propose
from serinus.cli.backtest_report import Report
from serinus.cli.backtest_screen import screen
from serinus.cli.backtest_target import Holder
from serinus.cli.look import PLAIN, Look
from serinus.cli.main import app
from tests.backtest.windows import POLICY, alike, generator, window
from tests.planning.releases import ERRORS

NARROW = Look(width=80, colour=False, signs=True)
BEGIN = 1_795_000_500.0
QUARTER = timedelta(minutes=15)

MANIFEST: dict[str, Any] = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryPolicy",
    "metadata": {"name": "strict"},
    "spec": {"metrics": [ERRORS]},
}


@pytest.fixture(scope="module")
def report() -> Report:
    """Of hours of which a quarter is unknown, and in the next one half of the pods was bad."""
    rng = generator()
    bad = window(rng, canary=0.06, begin=BEGIN + 24 * 900)
    windows = [window(rng, begin=BEGIN + 900 * place) for place in range(23)] + [bad]
    return Report(
        Holder("canarypolicy", "strict", "ml", "/spec"),
        "predictor.ml.svc.cluster.local",
        QUARTER,
        BEGIN + 25 * 900,
        Trial.of(POLICY, windows),
        (propose(POLICY, POLICY.metrics[0], windows, lambda _: None),),
        tuple(each.split for each in windows),
        1,
        ("memory",),
    )


SCREEN = """\
strict on predictor.ml.svc.cluster.local, the stable against itself: 24 windows
  of 15m from 2026-11-18 11:15 to 2026-11-18 17:30 UTC
arms: its 4 pods in two halves, which take turns as the canary
! windows left out, for nothing is known of them: 1

rolled back 1 of 24 (0.21 to 18 %); promised is at most 1 %
- 2026-11-18 17:15 UTC: error-rate, after 4 ticks
held 1 of 24 (not proven 1)
promoted 22 of 24 (76 to 98 %)

METRIC      TOLERANCE                   HELD  PROMOTED  ROLLED BACK
error-rate  {absolute: 0.02}  policy       1        22  1 of 24 (0.21 to 18 %)
            {absolute: 0.04}               0        23  1 of 24 (0.21 to 18 %)
            {absolute: 0.1}   proposed     0        24  0 of 24 (at most 12 %)

Each metric is tried by itself. ROLLED BACK: windows in which it would have
  rolled back a canary that is the stable, with 95 % bounds. HELD, PROMOTED:
  what came of the others when the window was over.
- error-rate: find out what differs between the pods in those windows, or loosen
  it to {absolute: 0.1}; -o patch writes that
! not replayed: memory: only what can be counted for each request is divided
"""

PATCH = """\
# Review, then: kubectl patch canarypolicy strict -n ml --type=json --patch-file=THIS_FILE
# error-rate: rolled back 0 of 24 windows of the stable against itself (at most 11.7%), promoted 24
- op: test
  path: /spec/metrics/0/name
  value: error-rate
- op: replace
  path: /spec/metrics/0/tolerance
  value:
    absolute: 0.1
"""


def test_a_backtest_at_80_columns_R25(report: Report) -> None:
    shown = screen(report, NARROW)
    assert "\n".join(shown) + "\n" == SCREEN
    assert max(map(len, shown)) <= 80
    assert not report.is_quiet


def test_a_patch_says_what_speaks_for_it_R25(report: Report) -> None:
    assert "\n".join(report.patch()) + "\n" == PATCH
    assert len(yaml.safe_load(PATCH)) == 2


def test_the_documentation_shows_what_the_program_does() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert SCREEN in documentation
    assert PATCH in documentation


def test_what_is_quiet_says_how_many_windows_would_show_it() -> None:
    windows = alike(generator(), 3)
    quiet = Report(
        Holder("canarydeployment", "predictor", "", "/spec/policy"),
        "predictor.ml.svc.cluster.local",
        QUARTER,
        2700.0,
        Trial.of(POLICY, windows),
        (propose(POLICY, POLICY.metrics[0], windows, lambda _: None),),
        (Split(1),),
        0,
        (),
    )
    shown = "\n".join(screen(quiet, PLAIN))
    assert quiet.is_quiet
    assert "rolled back 0 of 3 (at most 63 %); promised is at most 1 %" in shown
    assert "arms: its requests, each to either arm by chance; what differs between pods" in shown
    assert "- error-rate: tighten it to {absolute: 0.004}; -o patch writes that" in shown
    assert "! 3 windows cannot show that 1 % is kept: 299 without a rollback would" in shown
    assert "path: /spec/policy/metrics/0/tolerance" in "\n".join(quiet.patch())


def backtest(manifest: dict[str, Any], tmp_path: Path, *more: str) -> Result:
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return CliRunner().invoke(app, ["backtest", "-f", str(path), *more], env={"SERINUS_PROMETHEUS": ""})


OWN = {
    "name": "bought",
    "kind": "proportion",
    "query": {"events": "bought_total{ {{arm}} }", "total": "seen_total{ {{arm}} }"},
    "tolerance": {"absolute": 0.01},
}
GAUGE = {
    "name": "memory",
    "kind": "gauge",
    "query": {"value": "memory_bytes{ {{arm}} }"},
    "tolerance": {"relative": 0.1},
    "onRegression": "hold",
}
ON = ("--service", "predictor.ml.svc.cluster.local")
BAD: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "no service": (MANIFEST, (), "has only a policy: give --service, or the CanaryDeployment as well"),
    "no namespace": (MANIFEST, ("--service", "predictor"), "predictor: its namespace is part of its name"),
    "no policy": (
        {"kind": "Service"},
        ON,
        "one CanaryPolicy, or one CanaryDeployment, is needed; there are 0",
    ),
    "no address": (MANIFEST, ON, "no Prometheus is known: give --prometheus"),
    "queries of its own": (
        {**MANIFEST, "spec": {"metrics": [OWN]}},
        ON,
        "bought has queries of its own, whose placeholders only a CanaryDeployment fills",
    ),
    "a gauge alone": ({**MANIFEST, "spec": {"metrics": [GAUGE]}}, (*ON,), "memory has queries of its own"),
    "a wrong window": (MANIFEST, (*ON, "--window", "1x"), "--window: '1x' is not a duration"),
    "a window of a tick": (MANIFEST, (*ON, "--window", "20s"), "--window: must be at least two ticks, 30s"),
    "no window": (MANIFEST, (*ON, "--from", "30m"), "there is no window of 1h: take an earlier --from"),
    "too long": (MANIFEST, (*ON, "--from", "9999h"), "at most 100000 are read: take a shorter time"),
    "a wrong policy": ({**MANIFEST, "spec": {"metrics": []}}, ON, "spec.metrics"),
}


@pytest.mark.parametrize(("manifest", "more", "told"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_exit_code_2(
    manifest: dict[str, Any], more: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    done = backtest(manifest, tmp_path, *more)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


@pytest.mark.parametrize("more", [("--from", "yesterday"), ("--reporter", "me"), ("-o", "xml")])
def test_a_wrong_option_is_named(more: tuple[str, str], tmp_path: Path) -> None:
    done = backtest(MANIFEST, tmp_path, *ON, *more)
    assert done.exit_code == 2
    assert more[0] in done.stderr

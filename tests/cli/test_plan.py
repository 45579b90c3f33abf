"""`serinus plan`: a release's screen at 80 columns and in a pipe, as JSON and YAML, and bad input in one line (R11)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from serinus.api import Step, parse_duration
from serinus.cli.look import PLAIN, Look
from serinus.cli.main import app
from serinus.cli.plan_screen import screen
from serinus.cli.plan_traffic import Period, Seen, usual_period
from serinus.planning import Advice, Alternative, Forecast, Requests, StepForecast
from tests.planning.releases import ERRORS, LATENCY, release

NARROW = Look(width=80, colour=False, signs=True)
MINUTE = timedelta(minutes=1)
REQUESTS = Requests(20, 0.01)
FORECAST = Forecast(
    steps=(
        StepForecast(
            weight=1,
            window=15 * MINUTE,
            canary_requests=180,
            stable_requests=17820,
            promoted=0.1625,
            half_by=40 * MINUTE,
            most_by=67.3 * MINUTE,
            caught=0.0986,
        ),
        StepForecast(
            weight=50, window=90 * MINUTE, canary_requests=5.4e6, stable_requests=5.4e6, promoted=1.0, caught=None
        ),
        StepForecast(
            weight=100,
            window=timedelta(),
            canary_requests=0,
            stable_requests=0,
            half_by=timedelta(),
            most_by=timedelta(),
        ),
    ),
    half_by=101 * MINUTE,
    most_by=142.2 * MINUTE,
    missing_deadline=0.25,
    unplanned=("latency",),
)
ADVICE = Advice(
    within=120 * MINUTE,
    fits=False,
    alternatives=(Alternative(change="spec.ladder: begin at weight 2", most_by=111 * MINUTE),),
)

MANIFEST: dict[str, Any] = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryDeployment",
    "metadata": {"name": "predictor"},
    "spec": {
        "stable": {"subset": "stable"},
        "canary": {"subset": "canary"},
        "traffic": {"host": "h", "virtualServices": [{"name": "h"}], "destinationRule": "h"},
        "ladder": [{"weight": 50, "window": "1m"}, {"weight": 100, "window": "0s"}],
    },
}
POLICY = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryPolicy",
    "metadata": {"name": "strict"},
    "spec": {"metrics": [ERRORS]},
}


def plan(*files: Path, rps: float = 100, error_rate: float = 0.01, more: tuple[str, ...] = ()) -> Result:
    named = [word for file in files for word in ("-f", str(file))]
    return CliRunner().invoke(app, ["plan", *named, f"--rps={rps}", f"--error-rate={error_rate}", *more])


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.yaml"
    path.write_text(yaml.safe_dump(MANIFEST))
    return path


def test_a_plan_at_80_columns() -> None:
    planned = release((1, "15m"), (50, "90m"), metrics=(ERRORS, LATENCY), deadline="2h")
    gated = planned.spec.model_copy(update={"ladder": (Step(weight=1, window=MINUTE, gate="manual"),)})
    shown = screen("predictor", type(planned)(gated, planned.policy), REQUESTS, FORECAST, ADVICE, NARROW)
    assert (
        "\n".join(shown) + "\n"
        == """\
predictor: 20 requests a second, 1 % of the stable's fail

STEP  WEIGHT  WINDOW  CANARY  STABLE  PROMOTED   90 % BY  ROLLED BACK AT
1          1     15m     180   17820      16 %    68 min  9.9 % (+8.9 pp)
2         50   1h30m    5.4M    5.4M     100 %  > 7 days  not even 100 %
3        100      0s       0       0         -       0 s  -

CANARY, STABLE: requests expected in the window.
PROMOTED: chance that a canary like the stable is promoted when the window ends.
  90 % BY: nine of ten are.
ROLLED BACK AT: an error rate from the first request on that is rolled back
  before this window ends, with 80 % probability.
In all: half of the canaries like the stable are promoted within 101 min, nine
  of ten within 2 h 23 min.
! not planned, for an error rate says nothing about it: latency; promotions wait
  for it too
! approvals at weight 1 take as long as people do
! 25 % of the canaries like the stable are still at some step when its deadline
  comes: then they are held

It does not fit into 2 h 0 min. Each of these alone would do:
- spec.ladder: begin at weight 2: nine of ten within 111 min
"""
    )
    assert max(map(len, shown)) <= 80


def test_in_a_pipe_a_sentence_is_a_line() -> None:
    shown = screen("predictor", release((1, "15m")), REQUESTS, FORECAST, Advice(within=MINUTE, fits=True), PLAIN)
    assert shown[-1] == "It fits into 60 s."
    assert (
        "In all: half of the canaries like the stable are promoted within 101 min, nine of ten within 2 h 23 min."
        in shown
    )


def test_what_is_not_reached_in_a_week_says_so() -> None:
    never = FORECAST.model_copy(update={"half_by": None, "most_by": None})
    shown = screen("predictor", release((1, "15m")), REQUESTS, never, Advice(within=MINUTE, fits=False), PLAIN)
    assert (
        "In all: half of the canaries like the stable are promoted within > 7 days, nine of ten within > 7 days."
        in shown
    )
    assert "take several together, or more traffic" in shown[-1]


def test_a_release_is_planned_from_its_manifest_R11(canary: Path) -> None:
    done = plan(canary, more=("-o", "json", "--within", "10m"))
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (told["canaryDeployment"], told["advice"]["fits"]) == ("predictor", True)
    assert told["steps"][0]["canaryRequests"] == 3000
    assert told["steps"][0]["promoted"] > 0.5
    assert parse_duration(told["mostBy"]) >= MINUTE


def test_yaml_says_what_json_says(canary: Path) -> None:
    one, other = (plan(canary, more=("-o", form)) for form in ("json", "yaml"))
    assert json.loads(one.stdout) == yaml.safe_load(other.stdout)


def test_what_does_not_fit_is_exit_code_1_with_what_would_do_R11(canary: Path) -> None:
    done = plan(canary, rps=2, more=("-o", "json", "--within", "8m"))
    told = json.loads(done.stdout)["advice"]
    assert (done.exit_code, told["fits"]) == (1, False)
    assert [each["change"] for each in told["alternatives"]] == ["the policy's margin: error-rate {absolute: 0.03}"]


def test_the_policy_that_is_named_may_be_in_another_file_or_in_the_same(canary: Path, tmp_path: Path) -> None:
    named = {**MANIFEST, "spec": {**MANIFEST["spec"], "policyRef": {"name": "strict"}}}
    canary.write_text(yaml.safe_dump(named))
    policy, both = tmp_path / "policy.yaml", tmp_path / "both.yaml"
    policy.write_text(yaml.safe_dump(POLICY))
    both.write_text(yaml.safe_dump_all([POLICY, {"kind": "Service"}, named]))
    assert plan(canary, policy).stdout == plan(both).stdout != ""
    refused = plan(canary)
    assert refused.exit_code == 2
    assert refused.stderr == (
        f"Error: {canary}: predictor names the CanaryPolicy strict, which is not there: give its file with another -f\n"
    )


BAD = {
    "a: [": "line 1, column 5: not a YAML document",
    "kind: Service": "exactly one CanaryDeployment is needed; there is: none",
    yaml.safe_dump_all([MANIFEST, MANIFEST]): "exactly one CanaryDeployment is needed; there is: predictor, predictor",
    yaml.safe_dump({**MANIFEST, "spec": {}}): "spec.stable: is required",
    "- just\n- a list": "there is: none",
}


@pytest.mark.parametrize(("text", "told"), BAD.items(), ids=range(len(BAD)))
def test_bad_input_is_one_line_and_exit_code_2(canary: Path, text: str, told: str) -> None:
    canary.write_text(text)
    done = plan(canary)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr
    assert str(canary) in done.stderr


def test_too_little_traffic_for_any_plan_is_one_line(canary: Path) -> None:
    done = plan(canary, rps=0.1)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("Error: predictor: spec.interval: at 0.1 requests a second")


NO_TRAFFIC = {
    ("--rps=20",): "--rps and --error-rate are only of use together",
    ("--error-rate=0.1",): "--rps and --error-rate are only of use together",
    (): "predictor: the manifest has no namespace, which is part of the host's name: give --namespace",
    ("-n", "ml"): "spec.stable.metricLabels: required here, for only the cluster knows the labels of the subset",
    ("--from", "1h", "--to", "2h"): "must be before --to",
}


@pytest.mark.parametrize(("more", "told"), NO_TRAFFIC.items(), ids=map(" ".join, NO_TRAFFIC))
def test_without_traffic_it_says_what_is_missing(canary: Path, more: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(app, ["plan", "-f", str(canary), *more])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


def test_without_an_address_it_says_how_to_give_one(canary: Path) -> None:
    arms = {side: {"subset": side, "labels": {"version": side}} for side in ("stable", "canary")}
    canary.write_text(yaml.safe_dump({**MANIFEST, "spec": {**MANIFEST["spec"], **arms}}))
    done = CliRunner().invoke(app, ["plan", "-f", str(canary), "-n", "ml"], env={"SERINUS_PROMETHEUS": ""})
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "no Prometheus is known: give --prometheus" in done.stderr


def test_what_prometheus_saw_is_named_with_what_is_missing() -> None:
    begin = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    seen = Seen(Period(begin, begin + 90 * MINUTE), 0.8, REQUESTS, {"latency": "no series"})
    planned = release((1, "15m"), (50, "90m"), metrics=(ERRORS, LATENCY))
    shown = screen("predictor", planned, REQUESTS, FORECAST, None, NARROW, seen)
    assert shown[:3] == [
        "predictor: 20 requests a second, 1 % of the stable's fail",
        "as Prometheus saw it from 2026-11-20 14:00 to 2026-11-20 15:30 UTC",
        "! only 80 % of that time is known",
    ]
    assert (
        "! not planned, for nothing is known of it in that time: latency: no series;\n  promotions wait for it too"
        in "\n".join(shown)
    )


def test_the_usual_period_is_a_day_ago_and_as_long_as_the_release() -> None:
    now = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    day, hour = timedelta(days=1), timedelta(hours=1)
    assert usual_period(release((1, "15m")), now) == Period(now - day, now - day + hour)
    assert usual_period(release((1, "2h"), (50, "90m")), now) == Period(now - day, now - day + 3.5 * hour)
    long = usual_period(release((1, "25h"), (50, "25h")), now)
    assert (long.begin, now - long.end) == (now - 50 * hour, timedelta(seconds=30))


def test_a_period_is_read_in_few_ticks_that_cover_it() -> None:
    end = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    for length in (timedelta(minutes=10), timedelta(hours=2), timedelta(days=3)):
        slots = Period(end - length, end).slots(timedelta(seconds=15))
        assert len(slots) <= 480
        assert slots[0].start <= (end - length).timestamp()
        assert slots[-1].end == end.timestamp()
        assert {slot.seconds for slot in slots} == {slots[0].seconds}
        assert slots[0].seconds >= 15


@pytest.mark.parametrize("more", [("--within", "4x"), ("--rps", "0"), ("--rps", "nan"), ("--error-rate", "1")])
def test_a_wrong_option_is_named(canary: Path, more: tuple[str, str]) -> None:
    done = plan(canary, more=more)
    assert done.exit_code == 2
    assert more[0] in done.stderr

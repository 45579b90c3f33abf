"""`serinus judge`: the verdicts of the library, from files; and bad input refused whole, by line and field."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from serinus.api import CanaryPolicy
from serinus.cli.evidence_file import parse_evidence
from serinus.cli.main import app
from serinus.cli.offline import judge_rollouts
from serinus.judge import GUARD, Counts, Evidence, State, Tick, judge
from serinus.rollout import judge_policy
from serinus.rollout.present import row_status
from tests.cli.evidence import BAD, CONVERSION, ERRORS, Files, assert_refused, line, policy, text, verdicts

ROOT = Path(__file__).parents[2]


def test_twenty_percent_against_one_are_rolled_back_at_the_first_tick_with_both_rates(files: Files) -> None:
    files.evidence.write_text(text(line(tick, BAD) for tick in range(5)))
    result = files.judge("-o", "json")
    answer = json.loads(result.stdout)
    assert (answer["verdict"], answer["tick"], answer["code"]) == ("rollback", 0, "Regression")
    assert "20.0 % against 1.00 %" in answer["reason"]
    assert result.exit_code == 1


def test_an_identical_canary_is_promoted(files: Files) -> None:
    files.evidence.write_text(text(line(tick) for tick in range(20)))
    result = files.judge("-o", "json")
    answer = json.loads(result.stdout)
    assert (answer["verdict"], answer["tick"]) == ("promote", 19)
    assert result.exit_code == 0


def test_an_answer_has_the_fields_of_the_contract_in_its_order(files: Files) -> None:
    files.evidence.write_text(text([line()]))
    answer = json.loads(files.judge("-o", "json").stdout)
    assert list(answer) == ["rollout", "verdict", "tick", "reason", "code", "comparison"]
    [row] = answer["comparison"]
    assert row["metric"] == "error-rate"
    assert row["canary"] == {"total": 300, "events": 3, "estimate": 0.01}
    assert "pValue" in row


def test_judging_a_file_is_using_the_library() -> None:
    lines = [line(tick, (4 + tick % 3, 27), step=tick // 6) for tick in range(15)]
    judges = judge_policy(CanaryPolicy.model_validate(policy()).spec, 240)
    state = State.start(judges)
    for each in lines:
        seen = Evidence(Counts(**each["canary"]), Counts(**each["stable"]))
        tick = Tick(each["step"], {"error-rate": seen, GUARD: seen})
        state, rows, verdict = judge(judges, state, tick, window=0)
    [found] = verdicts(lines)
    assert (found.verdict, found.code, found.reason) == (verdict.verdict, verdict.reason, verdict.message)
    assert found.comparison == tuple(row_status(row) for row in rows)


def test_interleaved_rollouts_are_judged_as_if_each_had_a_file_of_its_own() -> None:
    first = [line(tick, rollout="b") for tick in range(20)]
    second = [line(tick, BAD, rollout="a") for tick in range(20)]
    mixed = [each for pair in zip(first, second, strict=True) for each in pair]
    assert verdicts(mixed) == verdicts(first) + verdicts(second)


def test_the_first_rollback_is_the_answer_whatever_follows() -> None:
    before = [line(tick) for tick in range(3)] + [line(3, BAD)]
    after = [line(tick) for tick in range(4, 60)]
    assert verdicts(before + after) == verdicts(before)
    assert verdicts(before)[0].tick == 3


def test_a_skipped_tick_is_not_judged() -> None:
    [skipping] = verdicts([line(tick) for tick in (5, 6, 9)])
    [counting] = verdicts([line(tick) for tick in (0, 1, 2)])
    assert skipping.tick == 9
    assert skipping.comparison == counting.comparison


def test_a_step_starts_promotion_anew() -> None:
    step_1 = [line(tick) for tick in range(20)]
    [found] = verdicts([*step_1, line(20, step=1)])
    assert verdicts(step_1)[0].verdict == "promote"
    assert found.comparison[0].canary.total == 300


def test_a_metric_without_a_line_in_the_last_tick_holds_I3() -> None:
    manifest = policy(ERRORS, CONVERSION)
    both = [line(tick, metric=name) for tick in range(20) for name in ("error-rate", "conversion")]
    assert verdicts(both, manifest)[0].verdict == "promote"
    [found] = verdicts([*both, line(20)], manifest)
    assert (found.verdict, found.code) == ("hold", "NoSeries")


@pytest.mark.parametrize("arm", ["canary", "stable"])
def test_an_arm_that_falls_silent_holds_I3(arm: str) -> None:
    lines = [line(tick) for tick in range(20)]
    [found] = verdicts([*lines, line(20, **{arm: {"n": 0, "x": 0}})])
    assert (found.verdict, found.code) == ("hold", "NoTraffic")


def test_the_guard_sees_the_errors_whatever_their_tolerance_R08() -> None:
    tolerant = {**ERRORS, "tolerance": {"absolute": 0.02}, "onRegression": "report"}
    [found] = verdicts([line(tick, BAD) for tick in range(5)], policy(tolerant, {**CONVERSION, "name": "c"}))
    assert found.code == "ErrorSpike"


def test_the_guard_sees_the_failures_where_success_is_counted_R08() -> None:
    success: dict[str, Any] = {**ERRORS, "template": "istio-success", "onRegression": "report"}
    manifest = policy(success, {**CONVERSION, "name": "c"})
    [failing] = verdicts([line(tick, (240, 2673)) for tick in range(5)], manifest)
    [working] = verdicts([line(tick, (297, 2673)) for tick in range(5)], manifest)
    assert failing.code == "ErrorSpike"
    assert working.verdict != "rollback"


def test_the_guard_takes_nothing_else_for_errors_R08() -> None:
    """All visitors of the canary buy, few of the stable's: that is no spike of errors."""
    [found] = verdicts([line(tick, (300, 27), metric="conversion") for tick in range(10)], policy(CONVERSION))
    assert found.verdict == "promote"


def test_counts_up_to_a_million_million_are_judged() -> None:
    huge = 10**12
    arms = {"canary": {"n": huge, "x": huge // 100}, "stable": {"n": huge, "x": huge // 100}}
    [found] = verdicts([line(tick, **arms) for tick in range(3)])
    assert found.verdict == "promote"
    assert found.comparison[0].canary.total == 3 * huge


BAD_LINES = {
    "n is negative": (line(canary={"n": -1, "x": 0}), "canary.n: must be a whole number from 0 to 10"),
    "x is negative": (line(stable={"n": 5, "x": -2}), "stable.x: must be a whole number from 0 to 10"),
    "x is more than n": (line(canary={"n": 5, "x": 7}), "canary.x: 7 is more than n \\(5\\)$"),
    "n is a fraction": (line(canary={"n": 5.5, "x": 0}), "canary.n: must be a whole number .*, not 5.5"),
    "n is written as a fraction": (line(canary={"n": 5.0, "x": 0}), "canary.n: must be a whole number .*, not 5.0"),
    "n is a boolean": (line(canary={"n": True, "x": 0}), "canary.n: must be a whole number .*, not true"),
    "n is a text": (line(canary={"n": "5", "x": 0}), 'canary.n: must be a whole number .*, not "5"'),
    "n is null": (line(canary={"n": None, "x": 0}), "canary.n: must be a whole number .*, not null"),
    "n is not a number": (line(canary={"n": float("nan"), "x": 0}), "canary.n: must be a whole number .*, not NaN"),
    "n is infinite": (line(canary={"n": float("inf"), "x": 0}), "canary.n: must be a whole number .*, not Infinity"),
    "n is beyond all traffic": (line(canary={"n": 10**12 + 1, "x": 0}), "canary.n: must be a whole number"),
    "an arm is a number": (line(stable=3), "stable: must be an object with n, x, not 3"),
    "a count is a list": (line(canary={"n": [[1]], "x": 0}), "canary.n: must be a whole number .*, not a list"),
    "an arm is missing": ({k: v for k, v in line().items() if k != "stable"}, "stable: is required"),
    "n is missing": (line(canary={"x": 0}), "canary.n: is required"),
    "a field is unknown": (line(weight=5), "weight: is not a field"),
    "an arm's field is unknown": (line(canary={"n": 5, "x": 0, "y": 1}), "canary.y: is not a field"),
    "a field is misspelt": (
        {("tik" if name == "tick" else name): value for name, value in line().items()},
        "tik: is not a field",
    ),
    "the metric is unknown": (line(metric="latency"), 'metric: "latency" is not in the policy, which has error-rate'),
    "the guard is no metric": (line(metric="error-guard"), 'metric: "error-guard" is not in the policy'),
    "the metric is a number": (line(metric=7), "metric: must be a string, not 7"),
    "the rollout has no name": (line(rollout=""), "rollout: must be a name of printable characters"),
    "the rollout's name steers a terminal": (line(rollout="\x1b[2J"), "rollout: must be a name of printable"),
    "the tick is negative": (line(tick=-1), "tick: must be a whole number"),
    "the step is a fraction": (line(step=0.5), "step: must be a whole number"),
}


@pytest.mark.parametrize(("bad", "told"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_named_with_its_field_and_nothing_is_judged(files: Files, bad: dict[str, Any], told: str) -> None:
    files.evidence.write_text(text([line(rollout="other"), line(rollout="other", tick=1), bad]))
    assert_refused(files.judge("-o", "json"), rf"evidence\.jsonl line 3: {told}")


NOT_LINES = {
    "no JSON": ("{nothing}", "not JSON: Expecting property name .* at column 2"),
    "cut off": (text([line()])[:30], "not JSON"),
    "an empty line": ("\n", "not JSON"),
    "a list": ("[1, 2]", "must be a JSON object"),
    "a number": ("17", "must be a JSON object"),
    "a field twice": (text([line()]).replace('"tick"', '"step": 1, "tick"'), "step: is given twice"),
    "a number without end": ('{"tick": ' + "1" * 5000 + "}", "not JSON of a reasonable size"),
    "brackets without end": ("[" * 100_000, "not JSON of a reasonable size"),
    "two objects": ("{} {}", "not JSON: Extra data at column 4"),
}


@pytest.mark.parametrize(("bad", "told"), NOT_LINES.values(), ids=NOT_LINES.keys())
def test_what_is_not_a_json_object_is_named_and_nothing_is_judged(files: Files, bad: str, told: str) -> None:
    files.evidence.write_text(text([line()]) + bad + "\n")
    assert_refused(files.judge("-o", "json"), rf"evidence\.jsonl line 2: {told}")


OUT_OF_ORDER = {
    "a tick falls": ([line(5), line(4)], "tick: 4 after 5"),
    "a tick comes twice": ([line(5), line(5)], "tick: 5 has evidence of error-rate already"),
    "a tick comes back": ([line(5), line(6), line(5)], "tick: 5 after 6"),
    "a step falls": ([line(5, step=2), line(6, step=1)], "step: 1 after 2"),
    "a tick is of two steps": (
        [line(5), line(5, metric="conversion", step=1)],
        "step: 1 in tick 5, which is of step 0",
    ),
    "another rollout stands between": ([line(5), line(9, rollout="r2"), line(4)], "tick: 4 after 5"),
}


@pytest.mark.parametrize(("lines", "told"), OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
def test_what_is_out_of_order_is_named_and_nothing_is_judged(
    files: Files, lines: list[dict[str, Any]], told: str
) -> None:
    files.policy.write_text(yaml.safe_dump(policy(ERRORS, CONVERSION)))
    files.evidence.write_text(text(lines))
    assert_refused(files.judge("-o", "json"), rf"evidence\.jsonl line {len(lines)}: {told}")


def test_an_empty_file_is_no_evidence(files: Files) -> None:
    files.evidence.write_text("")
    assert_refused(files.judge(), "evidence.jsonl: is empty")


def test_a_file_that_is_not_there_is_named(files: Files) -> None:
    assert_refused(files.judge(), "evidence.jsonl: No such file or directory")
    files.policy.unlink()
    assert_refused(files.judge(), "policy.yaml: No such file or directory")


def test_evidence_that_is_not_utf_8_is_named_with_its_line(files: Files) -> None:
    files.evidence.write_bytes(text([line()]).encode() + b"\xff\n")
    assert_refused(files.judge(), "evidence.jsonl line 2: is not UTF-8")


BAD_POLICIES = {
    "not YAML": ("spec:\n  metrics: [", r"policy.yaml line 2, column 13: not a YAML document: "),
    "a tab": ("spec:\n\tmetrics: 1", r"policy.yaml line 2, column 1: not a YAML document: "),
    "a control character": ("kind: x\nspec: a\x07b", r"policy.yaml line 2, column 8: not a YAML document: "),
    "two documents": ("a: 1\n---\nb: 2", r"policy.yaml line 2, column 1: not a YAML document: .*single document"),
    "a field twice": ("kind: a\nkind: b", r"policy.yaml line 2, column 1: not a YAML document: kind is given twice"),
    "a date that is none": ("kind: 2026-13-01", r"policy.yaml: not a YAML document: a value is not of its type"),
    "a tag that does not fit": ("kind: !!bool maybe", r"policy.yaml: not a YAML document: a value is not of its type"),
    "brackets without end": ("[" * 2000, r"policy.yaml: not a YAML document: it is nested too deeply"),
    "nothing": ("", r"policy.yaml: is not a CanaryPolicy manifest"),
    "a list": ("- a", r"policy.yaml: is not a CanaryPolicy manifest"),
    "another kind": (yaml.safe_dump({**policy(), "kind": "CanaryDeployment"}), r"policy.yaml: kind: must be"),
    "a bad value": (yaml.safe_dump(policy(falseRollback=2)), r"policy.yaml: spec.falseRollback: must be at most 0.5"),
    "an unknown field": (yaml.safe_dump(policy(alpha=0.1)), r"policy.yaml: spec.alpha: is not a field"),
    "a bad metric": (
        yaml.safe_dump(policy(ERRORS, {"name": "m"})),
        r"policy.yaml: spec.metrics\[1\].tolerance: is required",
    ),
}


@pytest.mark.parametrize(("bad", "told"), BAD_POLICIES.values(), ids=BAD_POLICIES.keys())
def test_a_bad_policy_is_named_with_its_place(files: Files, bad: str, told: str) -> None:
    files.policy.write_text(bad)
    files.evidence.write_text(text([line()]))
    assert_refused(files.judge("-o", "json"), told)


def test_what_is_printed_of_bad_input_steers_no_terminal(files: Files) -> None:
    files.evidence.write_text(text([line(**{"\x1b[2J": 1})]))
    assert_refused(files.judge(), r"line 1: \\x1b\[2J: is not a field")


@pytest.mark.parametrize("options", [["--planned-ticks", "0"], ["-o", "xml"], ["--planned-ticks", "many"]])
def test_wrong_usage_has_its_exit_code(files: Files, options: list[str]) -> None:
    files.evidence.write_text(text([line()]))
    result = files.judge(*options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_longer_plan_leaves_more_for_later() -> None:
    spec = CanaryPolicy.model_validate(policy()).spec
    lines = parse_evidence(text(line(tick, (12, 27)) for tick in range(5)), "", {"error-rate": "proportion"})
    [short], [long] = (judge_rollouts(spec, lines, planned_ticks=ticks) for ticks in (1, 10_000))
    assert short.comparison[0].rollback != long.comparison[0].rollback


def test_evidence_comes_from_standard_input_unless_a_file_is_named(files: Files) -> None:
    evidence = text(line(tick) for tick in range(20))
    files.evidence.write_text(evidence)
    named = files.judge("-o", "json").stdout
    for options in ([], ["--evidence", "-"]):
        piped = CliRunner().invoke(
            app, ["judge", "--policy", str(files.policy), "-o", "json", *options], input=evidence
        )
        assert piped.stdout == named
    refused = CliRunner().invoke(app, ["judge", "--policy", str(files.policy)], input="{}\n")
    assert_refused(refused, "standard input line 1: rollout: is required")


def test_yaml_says_what_json_says(files: Files) -> None:
    files.evidence.write_text(text(line(rollout=name) for name in ("a", "b")))
    documents = list(yaml.safe_load_all(files.judge("-o", "yaml").stdout))
    assert documents == [json.loads(each) for each in files.judge("-o", "json").stdout.splitlines()]
    assert len(documents) == 2


def test_the_table_has_a_row_for_each_rollout_within_80_columns(files: Files) -> None:
    long = "a-service-with-a-very-long-name-[bold]-in-a-region-far-away-:smile:"
    files.evidence.write_text(text([line(0, BAD, rollout=long), line(rollout="r2")]))
    result = files.judge()
    rows = result.stdout.splitlines()
    assert max(map(len, rows)) <= 80
    assert re.match(r"ROLLOUT +VERDICT +TICK +REASON", rows[0])
    assert "".join(row[:20].strip() for row in rows[1:]) == long + "r2"
    assert "20.0 % against" in result.stdout
    assert result.exit_code == 1


def test_the_command_starts_without_cluster_web_or_pictures(files: Files) -> None:
    files.evidence.write_text(text([line()]))
    heavy = "('kubernetes', 'requests', 'prometheus_api_client', 'aiohttp', 'rich', 'scipy.stats')"
    code = (
        "import sys; from serinus.cli.main import app; app(sys.argv[1:], standalone_mode=False); "
        f"sys.exit(', '.join(name for name in {heavy} if name in sys.modules) or None)"
    )
    arguments = ["judge", "--policy", files.policy, "--evidence", files.evidence, "-o", "json"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["rollout"] == "r1"
    assert done.returncode == 0, f"serinus judge imports {done.stderr}"


def test_ctrl_c_ends_it_with_130_and_one_word(files: Files) -> None:
    """More than a pipe holds has been written only when the command is reading."""
    command = [sys.executable, "-m", "serinus.cli.main", "judge", "--policy", str(files.policy)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # Whoever started the tests may have them ignore Ctrl-C, which a child would inherit.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, **pipes, **heed) as process:  # type: ignore[call-overload]
        process.stdin.write(text(line(tick) for tick in range(5000)).encode())
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (stdout, stderr) == (b"", b"Interrupted.\n")


def test_the_documentation_s_example_is_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/judge.md").read_text()
    blocks = dict(re.findall(r"```(yaml|json|console)\n(.*?)```", page, re.DOTALL))
    (tmp_path / "policy.yaml").write_text(blocks["yaml"])
    (tmp_path / "evidence.jsonl").write_text(blocks["json"])
    command, _, shown = blocks["console"].partition("\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command.removeprefix("$ serinus ").split())
    assert result.exit_code == 1
    assert [row.rstrip() for row in result.stdout.splitlines()] == shown.splitlines()

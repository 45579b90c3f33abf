"""Policies and lines of evidence for the tests of `serinus judge`, and the command that judges them."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from serinus.api import CanaryPolicy
from serinus.cli.evidence_file import parse_evidence
from serinus.cli.main import app
from serinus.cli.offline import RolloutVerdict, judge_rollouts

ERRORS = {"name": "error-rate", "template": "istio-errors", "tolerance": {"absolute": 0.02}}
CONVERSION = {
    "name": "conversion",
    "kind": "proportion",
    "query": {"events": "a", "total": "b"},
    "better": "higher",
    "tolerance": {"absolute": 0.02},
}
LATENCY = {"name": "latency", "template": "istio-latency", "tolerance": {"duration": "50ms"}}
PREDICTION = {
    "name": "prediction",
    "kind": "distribution",
    "query": {"classes": "a"},
    "by": "prediction",
    "tolerance": {"totalVariation": 0.1},
}
RETRIES = {
    "name": "retries",
    "kind": "rate",
    "query": {"events": "a", "total": "b"},
    "tolerance": {"relative": 0.2},
}
MEMORY = {"name": "memory", "kind": "gauge", "query": {"value": "a"}, "tolerance": {"relative": 0.1}}
GOOD, BAD = (3, 27), (60, 27)


def policy(*metrics: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "serinus.io/v1alpha1",
        "kind": "CanaryPolicy",
        "metadata": {"name": "p"},
        "spec": {"metrics": list(metrics or [ERRORS]), **spec},
    }


def line(tick: int = 0, events: tuple[int, int] = GOOD, **fields: Any) -> dict[str, Any]:
    """A line of evidence: events of 300 canary and 2700 stable requests."""
    arms = {"canary": {"n": 300, "x": events[0]}, "stable": {"n": 2700, "x": events[1]}}
    return {"rollout": "r1", "metric": "error-rate", "tick": tick, "step": 0, **arms, **fields}


def text(lines: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(each) + "\n" for each in lines)


def verdicts(lines: Iterable[dict[str, Any]], manifest: dict[str, Any] | None = None) -> list[RolloutVerdict]:
    """What the library part of the command makes of the lines."""
    spec = CanaryPolicy.model_validate(manifest or policy()).spec
    kinds = {metric.name: metric.effective_kind for metric in spec.metrics}
    return list(judge_rollouts(spec, parse_evidence(text(lines), "evidence.jsonl", kinds), planned_ticks=240))


class Files:
    """A directory with a policy and evidence, and the command that judges them."""

    def __init__(self, directory: Path) -> None:
        self.policy = directory / "policy.yaml"
        self.evidence = directory / "evidence.jsonl"
        self.policy.write_text(yaml.safe_dump(policy()))

    def judge(self, *options: str) -> Result:
        arguments = ["judge", "--policy", str(self.policy), "--evidence", str(self.evidence), *options]
        return CliRunner().invoke(app, arguments)


def assert_refused(result: Result, told: str) -> None:
    """One line on standard error that says what is told, nothing on standard output, exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert re.search(told, result.stderr), result.stderr

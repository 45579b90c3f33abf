"""A proposed patch is one that kubectl and the API server take, or refuse where the policy has changed (R25)."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lab.errors import LabError
from lab.stack import Lab
from serinus.api import CanaryPolicy
from serinus.backtest import Trial, propose
from serinus.cli.backtest_report import Report
from serinus.cli.backtest_target import Holder
from tests.backtest.windows import alike, generator, window
from tests.planning.releases import ERRORS, LATENCY

pytestmark = pytest.mark.api_server

POLICY: dict[str, Any] = {
    "apiVersion": "serinus.io/v1alpha1",
    "kind": "CanaryPolicy",
    "metadata": {"name": "backtested", "namespace": "default"},
    "spec": {"metrics": [{**LATENCY, "onRegression": "report"}, {**ERRORS, "margin": {"absolute": 0.03}}]},
}


def test_kubectl_applies_what_is_proposed_and_nothing_else_R25(api_server: Lab, tmp_path: Path) -> None:
    rng = generator()
    windows = [*alike(rng, 5), window(rng, canary=0.05)]
    file = tmp_path / "patch.yaml"
    policy = CanaryPolicy.model_validate(POLICY).spec
    report = Report(
        Holder("canarypolicy", "backtested", "default", "/spec"),
        "h",
        timedelta(minutes=15),
        5400.0,
        Trial.of(policy, windows),
        (propose(policy, policy.metrics[1], windows, lambda _: None),),
        tuple(each.split for each in windows),
        0,
        (),
    )
    file.write_text("\n".join(report.patch()))
    words = file.read_text().splitlines()[0].split("kubectl ")[1].replace("THIS_FILE", str(file)).split()
    api_server.kubectl("apply", "-f", "-", stdin=json.dumps(POLICY))
    api_server.kubectl(*words)
    patched = json.loads(api_server.kubectl("get", "canarypolicy", "backtested", "-o", "json"))
    latency, errors = patched["spec"]["metrics"]
    assert (errors["tolerance"], errors["margin"]) == ({"absolute": 0.04}, {"absolute": 0.04})
    assert latency["tolerance"] == LATENCY["tolerance"]
    turned = {**POLICY, "spec": {"metrics": list(reversed(POLICY["spec"]["metrics"]))}}
    api_server.kubectl("replace", "-f", "-", stdin=json.dumps(turned))
    with pytest.raises(LabError, match="The request is invalid"):
        api_server.kubectl(*words)

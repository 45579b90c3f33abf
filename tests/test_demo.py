"""`make demo` on the real mesh: what its last lines and its file say is what happened."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.mesh


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """What the demonstration prints, and the file that it names."""
    directory = tmp_path_factory.mktemp("demo")
    path = os.pathsep.join([str(ROOT / "operator"), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-m", "lab", "demo"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    (file,) = directory.glob("demo-*.json")
    assert file.name in run.stdout
    return run.stdout, json.loads(file.read_text())


def figure(file: Any, name: str) -> Any:
    return next(figure["value"] for figure in file["figures"] if figure["name"] == name)


def test_a_good_release_is_promoted_and_a_bad_one_rolled_back(demo: tuple[str, Any]) -> None:
    output, file = demo
    assert [rollout["timeline"]["end"] for rollout in file["rollouts"]] == ["Promoted", "RolledBack"]
    assert "predictor v1 → v2: Promoted, as expected" in output
    assert "predictor v2 → v3: RolledBack, as expected" in output


def test_r03_the_good_release_climbs_every_step_of_the_ladder(demo: tuple[str, Any]) -> None:
    good, _ = demo[1]["rollouts"]
    weights = [record["weightAfter"] for record in good["history"]]
    assert sorted(set(weights) - {0}) == [10, 25, 50, 75, 100]
    assert weights == sorted(weights)


def test_the_bad_release_never_rises_beyond_the_first_step(demo: tuple[str, Any]) -> None:
    _, bad = demo[1]["rollouts"]
    assert bad["timeline"]["highest_weight"] == 10
    assert bad["history"][-1]["weightAfter"] == 0


def test_r26_every_decision_of_a_rollout_is_in_the_file_as_a_full_record(demo: tuple[str, Any]) -> None:
    for rollout in demo[1]["rollouts"]:
        assert rollout["records"]
        assert [record["hash"] for record in rollout["records"]] == [record["hash"] for record in rollout["history"]]


def test_requests_failed_because_of_the_canary_are_counted(demo: tuple[str, Any]) -> None:
    _, bad = demo[1]["rollouts"]
    assert bad["timeline"]["failed"] > 0
    assert figure(demo[1], "user requests failed by v3") == bad["timeline"]["failed"]


def test_every_user_got_an_answer_from_some_version(demo: tuple[str, Any]) -> None:
    assert figure(demo[1], "user requests that no version answered") == 0, demo[0]


def test_nothing_is_left_running(demo: tuple[str, Any]) -> None:
    assert figure(demo[1], "processes left running") == 0


def test_without_a_terminal_no_control_sequence_is_printed(demo: tuple[str, Any]) -> None:
    assert "\x1b" not in demo[0]

"""Each lab has a directory of its own; what dead labs left is removed, what living ones use is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.home import Home, cache_directory


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_the_directory_is_gone_at_the_end() -> None:
    with Home() as home:
        (home.path / "state").touch()
    assert not home.path.exists()


def test_only_its_owner_can_look_into_it() -> None:
    with Home() as home:
        assert home.path.stat().st_mode & 0o077 == 0


def test_two_labs_have_two_directories_and_leave_each_other_alone() -> None:
    with Home() as first:
        with Home() as second:
            assert first.path != second.path
            assert first.path.exists()
        assert first.path.exists()


def test_after_a_failure_the_logs_stay_until_the_next_lab() -> None:
    with pytest.raises(ValueError, match="broken"), Home() as failed:
        raise ValueError("broken")
    assert failed.path.exists()
    with Home():
        assert not failed.path.exists()


def test_after_ctrl_c_nothing_stays() -> None:
    with pytest.raises(KeyboardInterrupt), Home() as home:
        raise KeyboardInterrupt
    assert not home.path.exists()


def test_what_a_killed_lab_left_is_removed_by_the_next_one() -> None:
    die = "import os; from lab.home import Home; print(Home().path, flush=True); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", die], stdout=subprocess.PIPE, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert left.parent == cache_directory() / "labs"
    assert left.exists()
    with Home():
        assert not left.exists()


def test_the_directory_of_a_lab_that_runs_in_another_process_stays() -> None:
    live = "from lab.home import Home; home = Home(); print(home.path, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", live], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as other:
        assert other.stdout is not None
        path = Path(other.stdout.readline().strip())
        with Home():
            assert path.exists()
        other.communicate("\n")

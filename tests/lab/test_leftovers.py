"""What was started is found again, whoever its parent is by now."""

import os
import subprocess
import sys
import time

from lab.demo.leftovers import descendants, still_running

SLEEPER = [sys.executable, "-c", "import sys; sys.stdin.read()"]
PARENT = f"import subprocess, sys; print(subprocess.Popen({SLEEPER!r}, stdin=0).pid, flush=True); sys.stdin.read()"


def test_grandchildren_are_descendants_and_are_found_after_their_parent_is_gone() -> None:
    reading, writing = os.pipe()
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=reading, stdout=subprocess.PIPE, text=True)
    os.close(reading)
    assert parent.stdout
    with parent.stdout:
        grandchild = int(parent.stdout.readline())
        found = descendants(os.getpid())
        assert {parent.pid, grandchild} <= {process.pid for process in found}

        parent.kill()
        parent.wait()
        assert grandchild in {process.pid for process in still_running(found)}
        assert parent.pid not in {process.pid for process in still_running(found)}

        os.close(writing)  # what ends the grandchild
        while any(process.pid == grandchild for process in still_running(found)):
            time.sleep(0.02)


def test_another_process_with_the_same_id_is_not_the_one_that_was_started() -> None:
    child = subprocess.Popen(SLEEPER, stdin=subprocess.PIPE)
    started = {process for process in descendants(os.getpid()) if process.pid == child.pid}
    assert still_running(frozenset(started)) == started
    child.communicate()
    assert still_running(frozenset(started)) == frozenset()

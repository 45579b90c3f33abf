"""Whoever waits for the lab sees what is being done and for how long, on a terminal and through a pipe."""

import io

import pytest

from lab.progress import Progress, shortened


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("lab.progress.time", clock)
    return clock


def test_through_a_pipe_long_work_is_reported_every_15_seconds(clock: Clock) -> None:
    pipe = io.StringIO()
    progress = Progress(pipe)
    with progress.doing("building etcd (1 of 5)"):
        for _ in range(32):
            clock.now += 1
            progress.tick()
    lines = [" ".join(line.split()) for line in pipe.getvalue().splitlines()]
    assert lines == [
        "building etcd (1 of 5) ... 15 s",
        "building etcd (1 of 5) ... 30 s",
        "building etcd (1 of 5) 32.0 s",
    ]


def test_on_a_terminal_one_line_is_updated_in_place(clock: Clock) -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    with progress.doing("starting istiod"), progress.doing("starting prometheus"):
        clock.now += 2
        progress.tick()
    in_place = terminal.getvalue().partition("\n")[0]
    assert "\r\033[K  starting istiod, starting prometheus ... 2 s" in in_place


def test_what_failed_is_not_reported_as_done(clock: Clock) -> None:
    pipe = io.StringIO()
    with pytest.raises(ValueError, match="broken"), Progress(pipe).doing("starting etcd"):
        raise ValueError("broken")
    assert pipe.getvalue() == ""


@pytest.mark.parametrize(("text", "short"), [("etcd", "etcd"), ("prometheus", "promethe…")])
def test_a_status_line_is_cut_to_the_terminal(text: str, short: str) -> None:
    assert shortened(text, 9) == short

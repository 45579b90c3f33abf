"""The operator as a process that can be killed: forked from one that has loaded all modules, so it starts at once."""

import ctypes
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

PR_SET_PDEATHSIG = 1

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["serinus.controller", "serinus.doctor"])


@dataclass(frozen=True)
class Orders:
    """What one operator is told."""

    prometheus: str
    namespace: str
    kubeconfig: Path
    log: Path
    first: Callable[[], None] | None = None
    """Called in its process before it begins."""


class Operator:
    """A running operator; its records and its log are appended to `orders.log`."""

    def __init__(self, orders: Orders) -> None:
        self._process = context.Process(target=_operate, args=(orders,), daemon=True)
        self._process.start()

    def kill(self) -> None:
        """SIGKILL, now; without effect on one that has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.kill()
        self._process.join(30)


def _operate(orders: Orders) -> None:
    """The process: what `serinus run` does, without its command line."""
    import asyncio  # noqa: PLC0415

    from serinus.controller import Settings, operate  # noqa: PLC0415
    from serinus.doctor import AT_BEGINNING  # noqa: PLC0415
    from serinus.rollout import Timing  # noqa: PLC0415

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()  # like the lab's programs: Ctrl-C is for the tests, and each has its own share of a busy machine
    output = os.open(orders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["KUBECONFIG"] = os.fspath(orders.kubeconfig)
    logging.basicConfig(level=logging.INFO, force=True)
    timing = Timing(settle=timedelta(seconds=0.3), lead=timedelta(seconds=0.25))
    if orders.first is not None:
        orders.first()
    settings = Settings(prometheus=orders.prometheus, timing=timing, reporter="source", namespaces=(orders.namespace,))
    asyncio.run(operate(settings, AT_BEGINNING))


def await_true(condition: Callable[[], object], what: str, timeout: float = 300.0) -> None:
    """Wait until the condition holds; AssertionError naming what was waited for."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout:.0f} s for {what}, in vain"
        time.sleep(0.2)

"""Run a program that dies with the one who started it: the script `leash.py PARENT PROGRAM ARGUMENT...`.

A script of its own, rather than code between fork and exec: that would not be safe in a process with threads. On Linux
the kernel kills the program (SIGKILL) when its starter ends in whatever way. Elsewhere there is no such service: a
starter that is itself killed with SIGKILL leaves its programs running there.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str | Path]) -> list[str | Path]:
    """The command that runs `command`, whose program is an absolute path, on a leash of this process.

    More exactly: of the thread that starts it, for Linux takes that for the parent.
    """
    # -I: nothing of the environment or of this directory may change what the script imports.
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def main() -> None:
    """Tie this process to PARENT, then become PROGRAM."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
        if os.getppid() != parent:  # it died before the line above
            sys.exit("the starter is gone")
    os.execv(program[0], program)


if __name__ == "__main__":
    main()

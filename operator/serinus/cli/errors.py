"""The root of what ends a command.

CommandError
├── InputError     a file that people give cannot be used: inputs.py
└── ClusterError   the API server cannot be asked, or says no: cluster/errors.py
"""


class CommandError(Exception):
    """A command cannot do what it was asked: one line that says what to do. The exit code is 2."""

"""What can go wrong between a command and the API server.

ClusterError
├── NotFound   there is no such object
└── Expired    what a watch goes on from is too old: list again
"""

from serinus.cli.errors import CommandError


class ClusterError(CommandError):
    """The API server cannot be asked, or says no."""


class NotFound(ClusterError):
    """The API server has no object of that name."""


class Expired(ClusterError):
    """The resource version from which to watch is no longer known."""


class Unreachable(ClusterError):
    """There was no answer, or the API server cannot give one now."""

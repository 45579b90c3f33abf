"""What can go wrong in the lab.

LabError                 anything that the lab reports to the person who started it
├── ProcessFailed        a program ended, or was not ready in time; carries the end of its log
│   └── PortTaken        ... because somebody else took its port between choosing and binding
└── Aborted              a wait was given up because the lab is being closed
"""


class LabError(Exception):
    """The lab cannot go on; the message says what was tried and what to do."""


class ProcessFailed(LabError):
    """A program ended before it was ready, or was not ready in time."""


class PortTaken(ProcessFailed):
    """A program could not bind its port; starting it again with another port helps."""


class Aborted(LabError):
    """The wait was given up because another part of the lab failed."""

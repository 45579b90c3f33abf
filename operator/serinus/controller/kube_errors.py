"""What can go wrong with a request to the API server."""


class NoCluster(Exception):
    """Nothing says where the API server is, or who calls; the message says what is missing."""


class WriteConflict(Exception):
    """The object has changed since it was read: read it again, decide again."""


class WriteFailed(Exception):
    """The API server refused the write or did not answer; the message says which, in its own words."""


class NotThere(WriteConflict):
    """The object to be written does not exist."""


class NamespaceEnds(WriteFailed):
    """Nothing more can be created in the namespace, for it is being deleted."""

"""What the layout of Istio's objects makes impossible."""


class LayoutError(Exception):
    """An object that cannot carry the canary as it is; the message names object and route, and what to do."""

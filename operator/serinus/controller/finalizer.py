"""The finalizer (I7): a CanaryDeployment that moves traffic cannot disappear before all of it is on one version."""

from serinus.controller.cache import Object
from serinus.istio import Operation

FINALIZER = "serinus.io/traffic"


def has_finalizer(owner: Object) -> bool:
    """Whether the object waits for us when it is deleted."""
    return FINALIZER in owner["metadata"].get("finalizers", ())


def finalizer_patch(owner: Object, *, wanted: bool) -> list[Operation]:
    """The JSON patch that adds our finalizer or takes it away, refused when the object is no longer what was read."""
    metadata = owner["metadata"]
    others = [name for name in metadata.get("finalizers", ()) if name != FINALIZER]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "add", "path": "/metadata/finalizers", "value": [*others, FINALIZER] if wanted else others},
    ]

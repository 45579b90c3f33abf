"""The controller: everything that touches the cluster, around one reconcile function."""

from serinus.controller.operator import operate
from serinus.controller.settings import Settings

__all__ = ["Settings", "operate"]

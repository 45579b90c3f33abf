"""The watch: lists and follows what reconciles read, keeps it in the cache, and wakes whom it concerns."""

from serinus.controller.watch.watch import Watch

__all__ = ["Watch"]

"""Who gets the canary: a user's place is a function of the id and the rollout, the same in every router.

A library of its own: it needs Python and xxhash, no mesh and no cluster. In a mesh Envoy computes the same function.
"""

from serinus.cohort.assignment import in_canary

__all__ = ["in_canary"]

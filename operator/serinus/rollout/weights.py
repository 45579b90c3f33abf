"""The one way to ask for a weight: never towards a stable that could not serve it."""

from serinus.rollout.intents import SetWeight
from serinus.rollout.live import Live, Obstacle


def set_weight(live: Live, weight: int, decision: str, *, urgent: bool = False, final: bool = False) -> SetWeight:
    """Ask for `weight` on the mesh as it is now; the rest as in SetWeight.

    Raises Obstacle where that would send users to a stable that is dead (I3).
    """
    if weight < live.weight and live.stable_ready == 0:
        raise Obstacle(
            "StableUnavailable",
            f"the canary should fall from {live.weight} % to {weight} %, but the stable has no ready endpoint; "
            "nothing is changed until it has one",
        )
    return SetWeight(weight, decision, urgent, final)

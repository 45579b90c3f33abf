"""From a user, a rollout and a percentage to an arm."""

from xxhash import xxh64_intdigest


def in_canary(user: str, rollout: str, percentage: float) -> bool:
    """Whether `user` gets the canary of `rollout` while it has `percentage` (0 to 100) of the users.

    The same user always gets the same answer, and keeps the canary as the percentage rises. `rollout` is the salt: two
    rollouts have independent cohorts. The answer is xxh64("ROLLOUT/USER") mod 100 < percentage, with seed 0 and UTF-8,
    for whoever wants it in another language. An id that is no UTF-8 in the request counts by its bytes, as in Envoy;
    Python's servers hand it over with surrogate escapes.
    """
    return xxh64_intdigest(f"{rollout}/{user}".encode(errors="surrogateescape")) % 100 < percentage

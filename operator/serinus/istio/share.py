"""A share of all random ids, as a regular expression: how a route can split by an id without weights."""

import hashlib

_DIGITS = 3  # hexadecimal digits that are looked at: a share is exact to 1/8192


def share_regex(percentage: int) -> str:
    """Matches `percentage` (1 to 100) of all random UUIDs; a greater one matches all that a smaller one does."""
    threshold = round(percentage / 100 * 16**_DIGITS)
    if threshold == 16**_DIGITS:
        return "[0-9a-f].*"
    digits = f"{threshold:0{_DIGITS}x}"
    # Below 0cd: one digit less somewhere, and any after it.
    below = [
        f"{digits[:place]}[{'0123456789abcdef'[:value]}]{'[0-9a-f]' * (_DIGITS - place - 1)}"
        for place, value in enumerate(int(digit, 16) for digit in digits)
        if value
    ]
    return f"({'|'.join(below)}).*"


def mark_of(salt: str) -> str:
    """A short mark that tells one rollout's ids from another's: 8 hexadecimal digits and a dash."""
    return hashlib.sha256(salt.encode()).hexdigest()[:8] + "-"

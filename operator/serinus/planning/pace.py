"""How a simulation goes through time: slot by slot at first, in longer ticks the longer it lasts."""

from collections.abc import Collection, Iterator

_COARSENESS = 20  # a tick is never longer than this part of what has passed, so that no time is off by more than that


def ticks(stops: Collection[int], longest: int) -> Iterator[tuple[int, int]]:
    """Each tick's length and its end, in slots from the start, until `longest` have passed.

    No tick goes on beyond one of `stops`: windows end with a tick. What many requests prove in one tick is nearly what
    they prove in several, so months can be simulated in a few hundred ticks.
    """
    end = 0
    while end < longest:
        following = min((stop for stop in stops if stop > end), default=longest)
        length = min(max(1, end // _COARSENESS), following - end)
        end += length
        yield length, end

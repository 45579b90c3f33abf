"""Backtest (R25): a policy over what has been, the stable against itself: every rollback is a false alarm.

Pure: evidence that was read comes in, randomness comes in as a generator.
"""

from serinus.backtest.arms import pitted, reversed_roles, split_evenly, thinned_arms
from serinus.backtest.past import past_of
from serinus.backtest.patch import Operation, patch
from serinus.backtest.proposal import Proposal, Tried, propose
from serinus.backtest.replay import Outcome, replay
from serinus.backtest.share import Share
from serinus.backtest.trial import Trial, replayable
from serinus.backtest.window import Split, Window

__all__ = [
    "Operation",
    "Outcome",
    "Proposal",
    "Share",
    "Split",
    "Trial",
    "Tried",
    "Window",
    "past_of",
    "patch",
    "pitted",
    "propose",
    "replay",
    "replayable",
    "reversed_roles",
    "split_evenly",
    "thinned_arms",
]

"""A toy sentiment classifier: deterministic, without a model file, fast enough to be a lab's workload."""

from dataclasses import dataclass
from typing import Literal

Label = Literal["pos", "neg", "neutral"]

POSITIVE = frozenset({"amazing", "excellent", "fantastic", "good", "great", "happy", "love", "nice", "perfect"})
NEGATIVE = frozenset({"awful", "bad", "broken", "hate", "horrible", "poor", "sad", "slow", "terrible", "worst"})


@dataclass(frozen=True)
class Classification:
    """What the classifier says of a text."""

    label: Label
    confidence: float
    """0.5 (a coin's toss) to 1 (every word that has a mood has this one)."""


def classify(text: str) -> Classification:
    """Label a text by the majority of its words that have a mood; a draw, or none at all, is neutral."""
    words = [word.strip(".,;:!?\"'()").lower() for word in text.split()]
    positive = sum(word in POSITIVE for word in words)
    negative = sum(word in NEGATIVE for word in words)
    if positive == negative:
        return Classification("neutral", 0.5)
    label: Label = "pos" if positive > negative else "neg"
    return Classification(label, max(positive, negative) / (positive + negative))

"""What the operator would have known of the stable before a window: the same two hours, from the same evidence."""

from collections.abc import Iterable, Mapping
from functools import reduce

from serinus.backtest.window import Split
from serinus.judge import Evidence, Past, Sample
from serinus.metrics import Inquiry, PodNumbers, added, clustering


def past_of(inquiry: Inquiry, ticks: Iterable[Mapping[str, Evidence]], split: Split) -> Past:
    """Of one metric, from the ticks before the window, in which both arms are the stable's."""
    evidence = [tick[inquiry.name] for tick in ticks]
    both = [(each.canary, each.stable) for each in evidence]
    pairs = [(one, other) for one, other in both if one is not None and other is not None]
    every: list[Sample] = [sample for pair in pairs for sample in pair]
    stable: Sample | None = reduce(added, every, None)
    if stable is None or not split.is_by_pods:
        return Past(stable)
    # Both arms have half of the pods: what differs between such halves is what is to be expected of them.
    half = split.pods // 2
    pods = PodNumbers(compared=split.pods, canary=split.pods - half, stable=half)
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    return Past(stable, clustering(one, other, stable, inquiry.quantiles, pods))

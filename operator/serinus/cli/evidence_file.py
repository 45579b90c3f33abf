"""Evidence in a file: JSON lines, one per metric and tick, in order of time; all of it valid, or none."""

from collections.abc import Mapping, Sequence

from serinus.api.kinds import Kind
from serinus.cli.evidence_line import BadLine, Line, parse_line
from serinus.cli.inputs import InputError
from serinus.judge.evidence import Histogram


def parse_evidence(text: str, source: str, kinds: Mapping[str, Kind]) -> tuple[Line, ...]:
    """The lines of `text`, read from the file `source`, in their order; `kinds` has the policy's metrics by name.

    Raises InputError, which names the line and the field, for the first line that is malformed, is about another
    metric, is not of its metric's kind, or does not follow from its rollout's lines before: ticks rise, steps never
    fall, a tick has one line of a metric, and a latency's histograms can be compared from tick to tick.
    """
    if not text:
        raise InputError(f"{source}: is empty; evidence is JSON lines, one per metric and tick")
    lines: list[Line] = []
    newest: dict[str, tuple[Line, ...]] = {}  # by rollout: the lines of its newest tick
    bounds: dict[tuple[str, str], tuple[float, ...]] = {}  # by rollout and metric: those that all its histograms have
    for number, raw in enumerate(text.removesuffix("\n").split("\n"), start=1):
        try:
            line = parse_line(raw, kinds)
            newest[line.rollout] = _next(newest.get(line.rollout, ()), line)
            if isinstance(line.canary, Histogram):
                own = line.rollout, line.metric
                bounds[own] = _common(bounds.get(own, line.canary.bounds), line.canary.bounds)
        except BadLine as problem:
            raise InputError(f"{source} line {number}: {problem}") from problem
        lines.append(line)
    return tuple(lines)


def _next(newest: Sequence[Line], line: Line) -> tuple[Line, ...]:
    """The lines of the rollout's newest tick once `line` has followed; `newest` has those before, none at the start."""
    if not newest:
        return (line,)
    last = newest[-1]
    if line.tick < last.tick:
        raise BadLine(f"tick: {line.tick} after {last.tick}; the ticks of a rollout must rise")
    if line.step < last.step:
        raise BadLine(f"step: {line.step} after {last.step}; the steps of a rollout never fall")
    if line.tick > last.tick:
        return (line,)
    if line.step > last.step:
        raise BadLine(f"step: {line.step} in tick {line.tick}, which is of step {last.step}")
    if any(each.metric == line.metric for each in newest):
        raise BadLine(f"tick: {line.tick} has evidence of {line.metric} already")
    return (*newest, line)


def _common(known: tuple[float, ...], bounds: tuple[float, ...]) -> tuple[float, ...]:
    """Which of the bounds of all ticks before are those of this tick, too: only they can be judged (see the judge)."""
    if known == bounds:
        return known
    common = tuple(bound for bound in known if bound in bounds)
    if len(common) == 1:
        raise BadLine("canary.buckets: no bound but +Inf is common to this tick and those of the rollout before it")
    return common

"""The screen of `serinus status`: who has how much traffic, the ladder, the comparison, and what is waited for."""

from datetime import datetime

from serinus.cli.comparison import comparison
from serinus.cli.ladder import ladder
from serinus.cli.look import Look, Paint
from serinus.cli.seen import Seen
from serinus.cli.table import wrapped
from serinus.cli.times import spoken
from serinus.cli.told import printable
from serinus.cli.waiting import waits_for, warnings


def screen(seen: Seen, now: datetime, look: Look) -> list[str]:
    """What is to be seen at `now`, line by line."""
    lines = [_headline(seen, look), *wrapped(_standing(seen, now), look)]
    if seen.plan is not None:
        lines += [ladder(seen.plan.ladder, seen.status, look)]
    if seen.status.comparison:
        lines += ["", *comparison(seen.status.comparison, look)]
    said = [*_verdict(seen, now), *waits_for(seen, now)]
    lines += [""] * bool(said) + [line for text in said for line in wrapped(printable(text), look, "  ")]
    for text in warnings(seen):
        lines += [look.paint(line, Paint.WAIT) for line in wrapped(f"! {printable(text)}", look, "  ")]
    return lines


def _headline(seen: Seen, look: Look) -> str:
    printed = seen.status.printed
    arms = f"  {printed.stable} → {printed.canary}" if printed.canary else ""
    return look.paint(f"{seen.namespace}/{seen.name}{arms}", Paint.HEAD)


def _standing(seen: Seen, now: datetime) -> str:
    """The phase and since when, the step, and the traffic."""
    status, rollout = seen.status, seen.status.rollout
    parts = [status.phase.value]
    if rollout is not None:
        parts = [f"{status.phase.value} {spoken((rollout.ended_at or now) - rollout.started_at)} after its start"]
        if not status.phase.is_end:
            parts = [f"{status.phase.value}, begun {spoken(now - rollout.started_at)} ago"]
    if status.step is not None:
        parts.append(f"step {status.step} of {status.steps}")
    parts.append(f"{status.weight} % intended")
    if status.observed_share is not None:
        of = f" of {status.observed_requests} requests" if status.observed_requests else ""
        parts.append(f"{status.observed_share:.1f} % observed{of}")
    return ", ".join(parts)


def _verdict(seen: Seen, now: datetime) -> list[str]:
    verdict = seen.status.verdict
    if verdict is None:
        return []
    age = "" if seen.status.phase.is_end else f", {spoken(now - verdict.time)} ago"
    return [f"{verdict.verdict} ({verdict.reason}{age}): {verdict.message}"]

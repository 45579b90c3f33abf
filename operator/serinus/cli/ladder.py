"""The ladder in a line: what has been climbed, where it stands, what is to come."""

from serinus.api import CanaryDeploymentStatus, Phase, Step
from serinus.cli.look import Look, Paint


def ladder(steps: tuple[Step, ...], status: CanaryDeploymentStatus, look: Look) -> str:
    """For example `1 ✓ ── 5 ✓ ── 25 ● ── 50 ── 100`; in words where signs cannot be shown: `1 done, 5 done, 25 now`."""
    now = len(steps) + 1 if status.phase is Phase.PROMOTED else status.step or 0
    parts = [_part(step, number, now, status, look) for number, step in enumerate(steps, start=1)]
    return (" ── " if look.signs else ", ").join(parts)


def _part(step: Step, number: int, now: int, status: CanaryDeploymentStatus, look: Look) -> str:
    gate = " (gate)" if step.gate and number >= now else ""
    if number > now:
        return f"{step.weight}{gate}"
    if number < now:
        return look.paint(f"{step.weight} {'✓' if look.signs else 'done'}", Paint.GOOD)
    if status.phase is Phase.ROLLED_BACK:
        return look.paint(f"{step.weight} {'✗' if look.signs else 'rolled back'}", Paint.BAD)
    return look.paint(f"{step.weight}{gate} {'●' if look.signs else 'now'}", Paint.HEAD)

"""What `make demo` shows: a rollout on one screen of 80 columns, or a line for each change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lab.demo.load import LoadSnapshot
from lab.demo.release import Release
from serinus.api.status import ArmStatus, CanaryDeploymentStatus, Phase, RowStatus

WIDTH = 80
BAR = 6
"""Columns of a bar of wealth."""
LINES = 8
"""How many of the newest lines are shown."""

_PHASE_STYLE = {Phase.PROMOTED: "bold green", Phase.ROLLED_BACK: "bold red", Phase.FAILED: "bold red"}
_VERDICT_STYLE = {"promote": "green", "hold": "yellow", "rollback": "bold red"}
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class View:
    """What is known at one moment."""

    title: str
    seconds: float
    """Since the demonstration began."""
    release: Release
    ladder: tuple[int, ...]
    status: CanaryDeploymentStatus | None
    """None before the operator took notice of the release."""
    load: LoadSnapshot
    rate: float
    """Requests answered per second, lately."""


def screen(view: View, lines: Sequence[str]) -> RenderableType:
    """The whole screen: the rollout, its comparison and verdict, the users, and the newest lines."""
    parts: list[RenderableType] = [_headline(view), _ladder(view), Text(), _comparison(view.status)]
    parts += [_verdict(view.status), Text(), _users(view), Text()]
    parts += [Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in lines[-LINES:]]
    title = f"[bold]Serinus[/] · {view.title} · {view.seconds:.0f} s"
    return Panel(Group(*parts), title=title, title_align="left", width=WIDTH)


def bar(share: float) -> str:
    """A share from 0 to 1 as a bar of BAR columns, to an eighth of a column, between its ends."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    return f"▕{filled:<{BAR}}▏"


def changes(before: CanaryDeploymentStatus | None, after: CanaryDeploymentStatus) -> Iterator[str]:
    """A line for each thing that is another than before: the phase, the weight and step, the verdict."""
    before = before or CanaryDeploymentStatus()
    if after.phase is not before.phase:
        yield f"phase {after.phase}"
    if (after.weight, after.step) != (before.weight, before.step):
        yield f"weight {after.weight} %" + (f", step {after.step} of {after.steps}" if after.step else "")
    if after.verdict and _words(after) != _words(before):
        yield f"{after.verdict.verdict}: {after.verdict.reason}: {after.verdict.message}"


def _words(status: CanaryDeploymentStatus) -> tuple[str, str] | None:
    """The verdict without its figures, which change at every tick."""
    return (status.verdict.verdict, status.verdict.reason.split()[0]) if status.verdict else None


def _headline(view: View) -> Text:
    release, status = view.release, view.status
    headline = Text(f"{release.service}  {release.stable} → {release.canary}  ")
    if status is None:
        return headline.append("the operator has not answered yet", style="dim")
    headline.append(status.phase, style=_PHASE_STYLE.get(status.phase, "bold"))
    headline.append(f"  {status.weight} % intended")
    if status.observed_share is not None:
        headline.append(f", {status.observed_share:.1f} % observed")
    return headline


def _ladder(view: View) -> Text:
    """The weights: those that were passed, the one that is observed, and those to come."""
    status = view.status
    promoted = status is not None and status.phase is Phase.PROMOTED
    step = (status.step if status else None) or 0
    rungs = []
    for number, weight in enumerate(view.ladder, start=1):
        if promoted or number < step:
            rungs.append(Text(f"{weight} ✓", style="green"))
        elif number == step:
            back = status is not None and status.phase.is_end
            rungs.append(Text(f"{weight} ✗" if back else f"{weight} ●", style="bold red" if back else "bold"))
        else:
            rungs.append(Text(str(weight), style="dim"))
    return Text(" ── ").join(rungs)


def _comparison(status: CanaryDeploymentStatus | None) -> RenderableType:
    """The table of the metrics, with the wealth on its way to either verdict."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("METRIC", "CANARY", "STABLE", "DIFFERENCE", "ROLLBACK", "PROMOTE", ""):
        table.add_column(name, no_wrap=True)
    for row in status.comparison if status else ():
        table.add_row(
            row.metric,
            _percent(row.canary),
            _percent(row.stable),
            _difference(row),
            Text(bar(row.rollback), style="red"),
            Text(bar(row.promote), style="green"),
            row.missing or row.verdict,
        )
    return table


def _percent(arm: ArmStatus) -> str:
    return "–" if arm.estimate is None else f"{100 * arm.estimate:.2f} %"


def _difference(row: RowStatus) -> str:
    return "–" if row.difference is None else f"{100 * row.difference:+.2f} pp".replace("-", "−")


def _verdict(status: CanaryDeploymentStatus | None) -> Text:
    if status is None or status.verdict is None:
        return Text("no verdict yet", style="dim")
    verdict = status.verdict
    text = Text(verdict.verdict, style=_VERDICT_STYLE[verdict.verdict])
    return text.append(f": {verdict.reason}: {verdict.message}", style="default")


def _users(view: View) -> Text:
    """What the users got: how many requests, and how many failed because of whom."""
    load, canary = view.load, view.release.canary
    text = Text(f"users: {view.rate:.0f} requests/s, {load.answered} in all, {load.failed} failed, ")
    return text.append(f"{load.failed_by(canary)} of them by {canary}", style="bold")

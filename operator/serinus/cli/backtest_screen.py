"""The screen of `serinus backtest`: how often the policy would have rolled back, and what is better."""

from collections.abc import Iterator
from datetime import UTC, datetime

from serinus.api import format_duration
from serinus.backtest import Proposal, Share, Trial, Tried
from serinus.cli.backtest_report import Report
from serinus.cli.look import Look, Paint
from serinus.cli.table import Cell, Column, table, wrapped
from serinus.judge import GUARD
from serinus.judge.findings import Finding

_COLUMNS = [
    Column("METRIC"),
    Column("TOLERANCE"),
    Column(""),
    Column("HELD", right=True),
    Column("PROMOTED", right=True),
    Column("ROLLED BACK"),
]
_HELD = {
    Finding.MISSING: "data missing",
    Finding.INCOMPLETE: "data incomplete",
    Finding.WAITING_FOR_REQUESTS: "too few requests",
    Finding.REGRESSED: "worse",
    Finding.UNPROVEN: "not proven",
}
_NAMED = 5  # rollbacks that are told with their time


def screen(report: Report, look: Look) -> list[str]:
    """What was found, line by line."""
    lines = [line for text in _headline(report) for line in wrapped(text, look, "  ")]
    lines += ["", *(line for text in _policy(report) for line in wrapped(text, look, "  ")), ""]
    lines += table(_COLUMNS, [row for each in report.proposals for row in _rows(each, report.alpha)], look)
    return [*lines, "", *(line for text in _advice(report) for line in wrapped(text, look, "  "))]


def _headline(report: Report) -> Iterator[str]:
    number, trial = len(report.trial.outcomes), report.trial
    begin, end = _time(trial.outcomes[0].begin), _time(report.end)
    yield (
        f"{report.name} on {report.host}, the stable against itself: {number} windows of "
        f"{format_duration(report.window)} from {begin} to {end} UTC"
    )
    pods = sorted({each.pods for each in report.splits if each.is_by_pods})
    if pods:
        several = f"{pods[0]}" if len(pods) == 1 else f"{pods[0]} to {pods[-1]}"
        yield f"arms: its {several} pods in two halves, which take turns as the canary"
    if not all(each.is_by_pods for each in report.splits):
        yield (
            f"arms{' where pods cannot be told apart' if pods else ''}: its requests, each to either arm by chance; "
            "what differs between pods, or from time to time, is not seen so"
        )
    if report.silent:
        yield f"! windows left out, for nothing is known of them: {report.silent}"


def _policy(report: Report) -> Iterator[str]:
    trial = report.trial
    yield f"rolled back {_counted(trial.rolled_back)}; promised is at most {100 * report.alpha:g} %"
    for each in [one for one in trial.outcomes if one.is_rollback][:_NAMED]:
        yield f"- {_time(each.begin)} UTC: {_blamed(each.blamed)}, after {each.ticks} ticks"
    reasons = _reasons(trial)
    yield f"held {sum(trial.held.values())} of {trial.promoted.of}{f' ({reasons})' if reasons else ''}"
    yield f"promoted {_counted(trial.promoted)}"


def _rows(proposal: Proposal, alpha: float) -> Iterator[list[Cell]]:
    for each in proposal.tried:
        share = each.trial.blamed_on(proposal.metric.name)
        yield [
            Cell(proposal.metric.name if each is proposal.tried[0] else ""),
            Cell(each.tolerance.written),
            Cell(_mark(each, proposal)),
            Cell(str(sum(each.trial.held.values()))),
            Cell(str(each.trial.promoted.count), Paint.GOOD if each.is_decisive else Paint.WAIT),
            Cell(_counted(share), Paint.GOOD if each.is_quiet else Paint.BAD),
        ]


def _mark(tried: Tried, proposal: Proposal) -> str:
    if tried is proposal.proposed:
        return "proposed"
    return "policy" if tried is proposal.own else ""


def _advice(report: Report) -> Iterator[str]:
    yield (
        "Each metric is tried by itself. ROLLED BACK: windows in which it would have rolled back a canary that is the "
        "stable, with 95 % bounds. HELD, PROMOTED: what came of the others when the window was over."
    )
    for each in report.proposals:
        yield _verdict(each, report)
    if report.unreplayed:
        yield f"! not replayed: {', '.join(report.unreplayed)}: only what can be counted for each request is divided"
    if report.trial.rolled_back.count == 0 and report.trial.rolled_back.high > report.alpha:
        yield (
            f"! {report.trial.rolled_back.of} windows cannot show that {100 * report.alpha:g} % is kept: "
            f"{_needed(report.alpha)} without a rollback would"
        )


def _verdict(proposal: Proposal, report: Report) -> str:
    name, proposed, own = proposal.metric.name, proposal.proposed, proposal.own
    if proposed is not None:
        if own.is_quiet:
            return f"- {name}: tighten it to {proposed.tolerance.written}; -o patch writes that"
        return (
            f"- {name}: find out what differs between the pods in those windows, or loosen it to "
            f"{proposed.tolerance.written}; -o patch writes that"
        )
    if not own.is_quiet:
        return f"- {name}: no tolerance up to ten times as large would have been quiet: look at what differs then"
    if not own.is_decisive:
        return (
            f"- {name}: the tolerance is quiet, but {own.trial.promoted.count} of {own.trial.promoted.of} windows of "
            f"{format_duration(report.window)} prove it ({_reasons(own.trial)}): longer windows or a larger tolerance "
            "would; `serinus plan` says which"
        )
    return f"- {name}: the tolerance is quiet, and none that is smaller would do as well"


def _reasons(trial: Trial) -> str:
    return ", ".join(f"{_HELD.get(finding, finding.name.lower())} {number}" for finding, number in trial.held.items())


def _counted(share: Share) -> str:
    if share.count == 0:
        return f"0 of {share.of} (at most {_percent(share.high)} %)"
    return f"{share.count} of {share.of} ({_percent(share.low)} to {_percent(share.high)} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"


def _blamed(name: str) -> str:
    return "the guard (spike.errorRate)" if name == GUARD else name


def _needed(alpha: float) -> int:
    """Windows without a rollback whose upper bound is at most alpha."""
    number = 1
    while Share(0, number).high > alpha:
        number += 1
    return number


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, tz=UTC):%Y-%m-%d %H:%M}"

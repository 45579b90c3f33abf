"""A report's sections, from which both its plain text and its Markdown are made."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from serinus.api import RowStatus
from serinus.cli.comparison import counterfactual, full_table
from serinus.cli.look import PLAIN
from serinus.cli.report_document import Report
from serinus.cli.told import printable

_TIME = "%Y-%m-%d %H:%M:%S UTC"
_SHORT = 12  # digits of a hash: enough to find the record


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it: sentences, a table, and a text that is quoted as it is."""

    heading: str
    sentences: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    """The headings of the table's columns."""
    rows: tuple[tuple[str, ...], ...] = ()
    quoted: str = ""
    language: str = ""
    """Of what is quoted."""


def title(report: Report) -> str:
    """The heading of it all."""
    arms = f": {report.stable} → {report.canary}" if report.canary else ""
    return f"{report.namespace}/{report.name}{arms}"


def sections(report: Report) -> Iterator[Section]:
    """Those that have something in them, what matters most first."""
    yield Section("Verdict", sentences=tuple(map(printable, _standing(report))))
    if report.comparison:
        columns, cells = full_table(report.comparison, PLAIN)
        titles = tuple(column.title for column in columns)
        yield Section("Comparison", titles=titles, rows=tuple(tuple(cell.text for cell in row) for row in cells))
        tested = tuple(f"{row.metric}: {row.tested}{_as_told(row)}" for row in report.comparison)
        yield Section("What was tested", sentences=tuple(map(printable, tested)))
        needed = ((row.metric, counterfactual(row)) for row in report.comparison)
        yield Section("Another verdict", sentences=tuple(f"{metric}: {told}" for metric, told in needed if told))
    if report.queries:
        asked = "\n".join(f"# {each.metric}\n{each.query}" for each in report.queries)
        yield Section("What Prometheus was asked", quoted=asked, language="promql")
    if report.history:
        yield Section("Records", titles=_RECORD, rows=_records(report))
    if report.conditions:
        rows = [(each.type, each.status, each.reason, printable(each.message)) for each in report.conditions]
        yield Section("Conditions", titles=("TYPE", "STATUS", "REASON", "MESSAGE"), rows=tuple(rows))
    if report.plan:
        plan = yaml.safe_dump(report.plan, allow_unicode=True, sort_keys=False, width=100)
        yield Section("The plan, as copied at the start", quoted=plan, language="yaml")


def _standing(report: Report) -> Iterator[str]:
    step = f", step {report.step} of {report.steps}" if report.step else ""
    share = f", {report.observed_share:.1f} % observed" if report.observed_share is not None else ""
    of = f" of {report.observed_requests} requests" if share and report.observed_requests else ""
    yield f"{report.phase.value}{step}, {report.weight} % of the traffic meant for the canary{share}{of}"
    if report.verdict:
        yield f"{report.verdict.verdict} ({report.verdict.reason}) at {report.verdict.time:{_TIME}}"
        yield report.verdict.message
    if report.rollout and report.started_at:
        end = f", ended {report.ended_at:{_TIME}}" if report.ended_at else ""
        yield f"rollout {report.rollout}, begun {report.started_at:{_TIME}}{end}"
    if report.author:
        yield f"author: {report.author}"


_RECORD = ("TIME", "RECORD", "VERDICT", "WEIGHT", "BY", "REASON", "HASH")


def _records(report: Report) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            f"{each.time:{_TIME}}",
            each.id,
            each.verdict,
            f"{each.weight_before} → {each.weight_after}",
            printable(each.actor),
            each.reason,
            each.hash[:_SHORT],
        )
        for each in report.history
    )


def _as_told(row: RowStatus) -> str:
    return f" (as the {row.reporter} proxy tells)" if row.reporter else ""

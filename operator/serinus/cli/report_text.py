"""A report as plain text, and as Markdown for a pull request or an incident's page."""

from collections.abc import Sequence

from serinus.cli.look import Look, Paint
from serinus.cli.report_document import Report
from serinus.cli.report_sections import sections, title
from serinus.cli.table import fitted, wrapped


def as_text(report: Report, look: Look) -> str:
    """Sections with their headings in capitals, in the terminal's width."""
    lines = [title(report)]
    for section in sections(report):
        lines += ["", look.paint(section.heading.upper(), Paint.HEAD)]
        lines += [line for each in section.sentences for line in wrapped(each, look, "  ")]
        lines += fitted(section.titles, section.rows, look) if section.titles else []
        lines += section.quoted.splitlines()
    return "\n".join(lines)


def as_markdown(report: Report) -> str:
    """The same sections as GitHub's and GitLab's Markdown."""
    lines = [f"# {_escaped(title(report))}"]
    for section in sections(report):
        lines += ["", f"## {section.heading}", "", *(f"- {_escaped(each)}" for each in section.sentences)]
        if section.titles:
            lines += [_row(section.titles), _row(["---"] * len(section.titles)), *map(_row, section.rows)]
        if section.quoted:
            lines += [f"```{section.language}", section.quoted.rstrip(), "```"]
    return "\n".join(lines)


def _row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escaped, texts))} |"


def _escaped(text: str) -> str:
    """The text where Markdown would take some of it for its own."""
    return "".join(f"\\{char}" if char in "\\`*_|<>[]" else char for char in text)

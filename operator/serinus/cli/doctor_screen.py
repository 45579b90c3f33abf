"""The screen of `serinus doctor`: a line that sums up, then each finding with its reason and its remedy."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from serinus.cli.look import Look, Paint
from serinus.cli.table import wrapped
from serinus.cli.told import printable
from serinus.doctor import Finding
from serinus.doctor.finding import Level

_PAINTS: dict[Level, Paint] = {"error": Paint.BAD, "warning": Paint.WAIT, "fine": Paint.GOOD}
_ORDER: tuple[Level, ...] = ("error", "warning", "fine")


def screen(title: str, findings: Sequence[Finding], look: Look) -> list[str]:
    """The worst first; of the same level in the order in which they were found."""
    count = Counter(finding.level for finding in findings)
    lines = [look.paint(f"{title}: {_counted(count)}", Paint.HEAD)]
    level, check = (max((len(getattr(each, part)) for each in findings), default=0) for part in ("level", "check"))
    for finding in sorted(findings, key=lambda each: _ORDER.index(each.level)):
        begin = f"{finding.level:<{level}}  {finding.check:<{check}}  "
        room = replace(look, width=look.width - len(begin)) if look.width is not None else look
        texts = [
            finding.what,
            *(f"{name}: {text}" for name, text in (("why", finding.why), ("do", finding.do)) if text),
        ]
        told = [line for text in texts for line in wrapped(printable(text), room, "  ")]
        painted = look.paint(finding.level, _PAINTS[finding.level]) + begin[len(finding.level) :]
        lines += [painted + told[0], *(" " * len(begin) + line for line in told[1:])]
    return lines


def _counted(count: Counter[Level]) -> str:
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "fine": ("fine", "fine")}
    return ", ".join(f"{count[level]} {words[level][count[level] != 1]}" for level in _ORDER)

"""The fenced blocks of a page: what each is, and what a comment before it says of how it is to be run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", flags=re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"(?P<word>not run|exits with|file|as):? (?P<told>.+)")


@dataclass(frozen=True)
class Block:
    """A block of a page. `marks`: what the comment directly before it says, by word; see `blocks`."""

    page: str
    line: int
    language: str
    text: str
    marks: dict[str, str]

    @property
    def title(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """What is typed after each prompt, further lines and here-documents included, without what is answered."""
        lines = iter(self.text.splitlines())
        return [_typed(line, lines) for line in lines if line.startswith("$ ")]


def blocks(root: Path, page: str) -> Iterator[Block]:
    """All of a page's, in order. Before one may stand, joined by semicolons:

    `not run: WHY`, `exits with N: WHY` (else 0), `file: NAME` (it is written to a file of that name), `as: USER`.
    """
    text = (root / page).read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text"))
        yield Block(page, line, found["language"], found["text"], _marks(found["mark"] or ""))


def _marks(text: str) -> dict[str, str]:
    found = (_MARK.match(part.strip()) for part in text.split(";"))
    return {each["word"]: each["told"] for each in found if each}


def _typed(first: str, lines: Iterator[str]) -> str:
    typed = [first.removeprefix("$ ")]
    while typed[-1].endswith("\\"):
        typed.append(next(lines))
    if here := re.search(r"<<(\w+)$", typed[-1]):
        typed.append(next(lines))
        while typed[-1] != here[1]:
            typed.append(next(lines))
    return "\n".join(typed)

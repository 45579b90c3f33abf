"""The tables in docs/statistics.md: what was last measured stands where it is explained."""

import re
from pathlib import Path

_BLOCK = re.compile(r"(<!-- make bench-judge -->\n```text\n).*?(```\n)", re.DOTALL)


def write_tables(page: Path, tables: str) -> None:
    """Replace the block in the page that is marked as this benchmark's. Raises ValueError if there is none."""
    text, replaced = _BLOCK.subn(lambda block: f"{block[1]}{tables}\n{block[2]}", page.read_text())
    if replaced != 1:
        raise ValueError(f"{page} must have one block of text after <!-- make bench-judge -->, it has {replaced}")
    page.write_text(text)

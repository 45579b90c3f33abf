"""`python -m handbook`: write the reference page anew. The site itself is built by mkdocs (mkdocs.yml)."""

from pathlib import Path

from handbook.reference import reference

(Path(__file__).parents[1] / "docs" / "reference.md").write_text(reference())

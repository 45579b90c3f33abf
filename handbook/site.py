"""Links of the documentation lead to the same places in the site as in the repository.

A page may name any file of the repository, as people who read it there expect. The site has those files too, below
repository/; those that are Markdown are pages of it, whose links work in the same way. A link to what is not there is
a warning of mkdocs', and so an error of `make docs`.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_ELSEWHERE = "repository"  # where files from outside docs/ are in the site
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s:#]+)(?=[)#])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every file of the repository that a page leads to, directly or by way of others."""
    waiting = [each.src_uri for each in files.documentation_pages()]
    while waiting:
        for target in _links(waiting.pop()):
            uri = _in_site(target)
            if files.get_file_from_path(uri) is None and (ROOT / target).is_file():
                files.append(File.generated(config, uri, abs_src_path=str(ROOT / target)))
                if uri.endswith(".md"):
                    waiting.append(uri)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page with its links as they are in the site."""
    home = posixpath.dirname(page.file.src_uri)
    return _LINK.sub(
        lambda link: posixpath.relpath(_in_site(_resolved(link["path"], page.file.src_uri)), home or "."), markdown
    )


def _links(uri: str) -> Iterator[str]:
    """The files of the repository that a page of the site names."""
    for link in _LINK.finditer((ROOT / _in_repository(uri)).read_text()):
        yield _resolved(link["path"], uri)


def _resolved(link: str, uri: str) -> str:
    """The path in the repository that a link on a page of the site stands for."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(_in_repository(uri)), link))


def _in_repository(uri: str) -> str:
    inside = uri.removeprefix(f"{_ELSEWHERE}/")
    return inside if inside != uri else f"docs/{uri}"


def _in_site(path: str) -> str:
    inside = path.removeprefix("docs/")
    return inside if inside != path else f"{_ELSEWHERE}/{path}"

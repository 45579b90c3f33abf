"""The documentation as a site: every link leads somewhere, every page is in the menu, nothing comes from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from handbook.reference import reference
from lab.stack.workload import REPOSITORY

PAGE = re.compile(r'<(?:script|img|link)[^>]*(?:src|href)="(?P<from>[^"]*)"')


def build(configuration: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = ["mkdocs", "build", "--strict", f"--config-file={configuration}", f"--site-dir={site}"]
    # Not with --quiet: mkdocs would count no warnings then.
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`mkdocs build --strict`: a link to what is not there, or a page that is in no menu, fails it."""
    site = tmp_path_factory.mktemp("site")
    done = build(REPOSITORY / "mkdocs.yml", site)
    assert done.returncode == 0, done.stdout + done.stderr
    return site


def test_the_site_loads_nothing_from_other_places(site: Path) -> None:
    loaded = {found["from"] for page in site.rglob("*.html") for found in PAGE.finditer(page.read_text())}
    assert loaded
    assert not [address for address in loaded if address.startswith(("http:", "https:", "//"))]


def test_files_of_the_repository_that_a_page_names_are_in_the_site(site: Path) -> None:
    assert (site / "repository" / "deploy" / "base" / "rbac.yaml").is_file()
    assert 'href="repository/deploy/base/rbac.yaml"' in (site / "installation.html").read_text()
    example = (site / "repository" / "examples" / "gitops" / "index.html").read_text()
    assert 'href="../../../routing.html#gitops"' in example


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(
        "# Serinus\n\n[no such page](nowhere.md), [no heading](index.md#nowhere)\n"
    )
    lines = (REPOSITORY / "mkdocs.yml").read_text().split("nav:\n-")[0].replace("hooks: [handbook/site.py]", "")
    (tmp_path / "mkdocs.yml").write_text(lines)
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
    assert "#nowhere" in done.stderr


def test_the_reference_is_what_the_models_say() -> None:
    page = (REPOSITORY / "docs" / "reference.md").read_text()
    assert page == reference(), "make docs writes it anew"

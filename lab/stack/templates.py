"""The lab's configuration files and manifests, filled in (the files themselves: templates/)."""

from pathlib import Path
from string import Template

DIRECTORY = Path(__file__).with_name("templates")


def render(name: str, /, **values: object) -> str:
    """The template `name` with every $placeholder replaced; one that is left over is a KeyError."""
    return Template((DIRECTORY / name).read_text()).substitute(values)

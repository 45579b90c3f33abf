"""`serinus crds`: the CustomResourceDefinitions."""

from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.inputs import InputError


def crds(
    write: Annotated[
        Path | None, typer.Option(help="Write one file each into this directory instead of printing them.")
    ] = None,
) -> None:
    """Print the CustomResourceDefinitions, ready for `kubectl apply -f -`."""
    # Only here: the models would make every other command slower to start.
    from serinus.api.crds import manifests

    if write is None:
        typer.echo("---\n".join(text for name, text in manifests().items() if not name.startswith("kustomization")))
        return
    try:
        write.mkdir(parents=True, exist_ok=True)
        for name, text in manifests().items():
            (write / name).write_text(text)
            typer.echo(f"wrote {write / name}")
    except OSError as error:
        raise InputError(f"--write {write}: {error.strerror}") from error

"""Arguments and options that several commands have."""

from typing import Annotated

import typer

from serinus.cli.completion import complete_context, complete_name
from serinus.cli.documents import Output

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The CanaryDeployment.", autocompletion=complete_name)
]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Its namespace. Absent: that of the kubeconfig's context.")
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context", help="The kubeconfig's context. Absent: the current one.", autocompletion=complete_context
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="json: one object a line.")]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why, in a few words: it goes on record.")]

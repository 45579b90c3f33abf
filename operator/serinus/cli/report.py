"""`serinus report`: all that is known of a rollout."""

from enum import StrEnum
from typing import Annotated

import typer

from serinus.cli.canaries import find_canary
from serinus.cli.cluster import Cluster, find_access
from serinus.cli.documents import Output, print_documents
from serinus.cli.look import look_of_output
from serinus.cli.options import ContextOption, NameArgument, NamespaceOption, NoColorOption


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    YAML = "yaml"


def report(
    name: NameArgument,
    namespace: NamespaceOption = None,
    context: ContextOption = None,
    output: Annotated[
        Form, typer.Option("--output", "-o", help="markdown: for a pull request or an incident's page.")
    ] = Form.TABLE,
    no_color: NoColorOption = False,
) -> None:
    """Report all that is known of a rollout: comparison, queries, records, conditions, and the plan it follows."""
    # Only here: the models would make a shell that completes a name wait for them.
    from serinus.cli.report_document import report_of
    from serinus.cli.report_text import as_markdown, as_text
    from serinus.cli.seen import Seen

    cluster = Cluster(find_access(context))
    where = namespace or cluster.access.namespace
    found = report_of(Seen.of(find_canary(cluster, where, name)))
    match output:
        case Form.TABLE:
            print(as_text(found, look_of_output(no_color)))
        case Form.MARKDOWN:
            print(as_markdown(found))
        case Form.JSON | Form.YAML:
            document = found.model_dump(mode="json", by_alias=True, exclude_none=True)
            print_documents([document], Output(output.value))

"""The chain of hashes: each record of a CanaryDeployment names the hash of the one before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from serinus.log.entry import Entry, LineError


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that is not as it was written, or does not follow the one before; `what` says which."""

    id: str
    what: str


def verify(entries: Iterable[Entry]) -> Iterator[Damage]:
    """What is wrong with a log, record by record, in the log's order; nothing for one that is whole.

    An object that was deleted and made anew begins a new chain. Where a log was begun in the middle of a chain, its
    first record is taken at its word. That the newest records were cut off only the objects' own statuses can tell.
    """
    newest: dict[tuple[str, str], str] = {}
    for entry in entries:
        owner = (entry.namespace, entry.name)
        yield from _own_damage(entry)
        before = newest.get(owner)
        if before is not None and entry.previous_hash not in (before, ""):
            yield Damage(
                entry.id,
                f"it follows a record with the hash {entry.previous_hash[:12]}, but the one before it in the log has "
                f"{before[:12]}: a record between them was changed, removed or moved",
            )
        newest[owner] = entry.hash


def _own_damage(entry: Entry) -> Iterator[Damage]:
    try:
        written = Entry.of_line(entry.line)
    except LineError as error:
        yield Damage(entry.id, str(error))
        return
    if entry != written:
        yield Damage(entry.id, "its columns do not say what its line says")

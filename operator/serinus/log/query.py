"""Which records somebody wants to see."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import islice

from serinus.log.entry import Entry


@dataclass(frozen=True, slots=True)
class Query:
    """What an entry must be like; None: whatever. `since` and `until` as Entry.time, the second exclusive."""

    id: str | None = None
    rollout: str | None = None
    namespace: str | None = None
    name: str | None = None
    author: str | None = None
    actor: str | None = None
    verdict: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def equal(self) -> dict[str, str]:
        """The columns that must have a value, with it."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None and name not in ("since", "until")}

    def wants(self, entry: Entry) -> bool:
        """Whether the entry is like that."""
        return (
            all(getattr(entry, name) == value for name, value in self.equal.items())
            and (self.since is None or entry.time >= self.since)
            and (self.until is None or entry.time < self.until)
        )


def of_rollouts(entries: Iterable[Entry], query: Query) -> list[Entry]:
    """All entries of the rollouts that have one that a query wants, in their order."""
    known = list(entries)
    rollouts = {entry.rollout for entry in known if query.wants(entry)}
    return [entry for entry in known if entry.rollout in rollouts]


def newest(entries: Iterable[Entry], query: Query, most: int) -> list[Entry]:
    """At most `most` of the entries that a query wants, the newest, in their order."""
    wanted = [entry for entry in entries if query.wants(entry)]
    return list(islice(wanted, max(0, len(wanted) - most), None))

"""SQL for what somebody wants to see: both kinds of database have the same words for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from serinus.log.entry import COLUMNS
from serinus.log.figures import ENDS, SERINUS
from serinus.log.query import Query


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the values that its marks stand for."""

    text: str
    values: tuple[str | int, ...]


def newest_first(columns: Sequence[str], query: Query, most: int, mark: str) -> Statement:
    """At most `most` of the records that a query wants, the newest first."""
    where, values = _where(query, mark)
    text = f"SELECT {', '.join(columns)} FROM records {where} ORDER BY number DESC LIMIT {mark}"
    return Statement(text, (*values, most))


def in_order(columns: Sequence[str], query: Query, mark: str) -> Statement:
    """All records that a query wants, in the order in which they came."""
    where, values = _where(query, mark)
    return Statement(f"SELECT {', '.join(columns)} FROM records {where} ORDER BY number", values)


def decisive(query: Query, mark: str) -> Statement:
    """What figures are made of, in order: how each rollout that has a wanted record began, who overrode, the ends.

    The columns of an entry; lines, which are long, of rollbacks and overrides alone: nothing is read of the others'.
    """
    where, wanted = _where(query, mark)
    line = f"CASE WHEN verdict = 'rollback' OR actor <> {mark} THEN line ELSE '' END"
    columns = ", ".join(line if column == "line" else column for column in COLUMNS)
    ends = ", ".join(mark for _ in ENDS)
    of_these = f"rollout IN (SELECT rollout FROM records {where}) AND " if where else ""
    text = (
        f"SELECT {columns} FROM records WHERE {of_these}"
        f"(verdict IN ({ends}) OR actor <> {mark} OR number IN (SELECT MIN(number) FROM records GROUP BY rollout)) "
        "ORDER BY number"
    )
    return Statement(text, (SERINUS, *wanted, *ENDS, SERINUS))


def _where(query: Query, mark: str) -> tuple[str, tuple[str, ...]]:
    """The condition, or nothing where all is wanted."""
    wanted = [(f"{column} = {mark}", value) for column, value in query.equal.items()]
    if query.since is not None:
        wanted.append((f"time >= {mark}", query.since))
    if query.until is not None:
        wanted.append((f"time < {mark}", query.until))
    if not wanted:
        return "", ()
    conditions, values = zip(*wanted, strict=True)
    return f"WHERE {' AND '.join(conditions)}", values

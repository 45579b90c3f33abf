"""The deployment log: every record, for longer than the objects that they are about (R26).

JSON lines on standard output always; a store behind SQLAlchemy where one is configured: a SQLite file, or PostgreSQL.
`log.store` is imported by itself: it alone needs SQLAlchemy, which takes its time.
"""

from serinus.log.chain import Damage, verify
from serinus.log.database import StoreError
from serinus.log.entry import Entry, Heading, LineError, is_record
from serinus.log.figures import Figures, figures_of
from serinus.log.query import Query, newest, of_rollouts
from serinus.log.reader import Reader

__all__ = [
    "Damage",
    "Entry",
    "Figures",
    "Heading",
    "LineError",
    "Query",
    "Reader",
    "StoreError",
    "figures_of",
    "is_record",
    "newest",
    "of_rollouts",
    "verify",
]

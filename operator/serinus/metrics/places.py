"""Where each series of an answer belongs: found out once, and remembered for as long as the same series are told.

In a steady state a shared answer has the same tens of thousands of series in the same order, tick after tick.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from serinus.metrics.answers import Value, Vector, labels_in
from serinus.metrics.arms import Labels
from serinus.metrics.reading import Form, Spot


class Owner(NamedTuple):
    """Whose a series is: its host, the part of the question that it answers, and its labels that tell arms apart."""

    host: str
    of: str
    labels: Labels


class Place(NamedTuple):
    """Where a series belongs."""

    owner: Owner
    spot: Spot


Parts = Mapping[str, Form]
"""Where the numbers of each part of a question stand in an answer."""


class Layout:
    """What the places in an answer say, one for each of its series in order."""

    def __init__(self, places: Iterable[Place]) -> None:
        owners: dict[Owner, Owner] = {}
        spots: dict[Spot, Spot] = {}
        # Few are told apart among tens of thousands: one object for all that are equal is a third of the memory.
        told = [(owners.setdefault(owner, owner), spots.setdefault(spot, spot)) for owner, spot in places]
        self._owners, self._spots = [owner for owner, _ in told], [spot for _, spot in told]
        self._of_owner: defaultdict[Owner, array[int]] = defaultdict(lambda: array("L"))
        for index, owner in enumerate(self._owners):
            self._of_owner[owner].append(index)
        self._of_host: defaultdict[str, list[Owner]] = defaultdict(list)
        for owner in owners:
            self._of_host[owner.host].append(owner)
        self._parts: dict[object, Parts] = {}

    def place(self, index: int) -> Place:
        """Where the series at that place in the answer belongs."""
        return Place(self._owners[index], self._spots[index])

    def parts(self, question: object, host: str, part_of: Callable[[Owner], str | None]) -> Parts:
        """The parts of a question about `host`; `part_of` says which of them an owner's numbers are, None for none."""
        known = self._parts.get(question)
        if known is None:
            known = self._parts[question] = self._sorted(host, part_of)
        return known

    def _sorted(self, host: str, part_of: Callable[[Owner], str | None]) -> Parts:
        found: dict[str, list[tuple[Spot, int]]] = {}
        for owner in [*self._of_host.get(host, ()), *self._of_host.get("", ())]:
            part = part_of(owner)
            if part is not None:
                spots = ((self._spots[index], index) for index in self._of_owner[owner])
                found.setdefault(part, []).extend(spots)
        return {part: Form.of(spots) for part, spots in found.items()}


class _Known(NamedTuple):
    """An answer's series in their order, and their layout."""

    texts: list[bytes]
    layout: Layout

    def ordered(self, answer: Vector) -> Sequence[Value] | None:
        """The answer's values in this order; None where it has other series."""
        if answer.texts == self.texts:  # as long as no series begins or ends
            return answer.values
        if len(answer.texts) != len(self.texts):
            return None
        told = dict(zip(answer.texts, answer.values, strict=True))
        if len(told) < len(self.texts) or any(text not in told for text in self.texts):
            return None
        return [told[text] for text in self.texts]


class Places:
    """Remembers the layouts of the answers to the last tick's questions: a third of a kilobyte for each series in them.

    `place` says where a series with these labels belongs.
    """

    def __init__(self, place: Callable[[Mapping[str, str]], Place]) -> None:
        self._place = place
        self._at = 0.0
        self._now: list[_Known] = []
        self._before: list[_Known] = []

    def layout(self, answer: Vector, at: float) -> tuple[Layout, Sequence[Value]]:
        """The layout of an answer about the tick that ends at `at`, and the values in its order. Raises SourceError."""
        if at > self._at:
            self._at, self._now, self._before = at, [], self._now
        for known in (*self._now, *self._before):
            ordered = known.ordered(answer)
            if ordered is not None:
                self._remember(known)
                return known.layout, ordered
        self._remember(_Known(answer.texts, self._read(answer.texts)))
        return self._now[-1].layout, answer.values

    def _remember(self, known: _Known) -> None:
        if all(each is not known for each in self._now):
            self._now.append(known)

    def _read(self, texts: Sequence[bytes]) -> Layout:
        before = {
            text: (known.layout, index)
            for known in (*self._before, *self._now)
            for index, text in enumerate(known.texts)
        }

        def place(text: bytes) -> Place:
            layout, index = before[text]
            return layout.place(index)

        return Layout(place(text) if text in before else self._place(labels_in(text)) for text in texts)

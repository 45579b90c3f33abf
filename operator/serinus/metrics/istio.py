"""Questions about Istio's own metrics; those of one shape go into one query for many services."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Literal

from serinus.metrics.answers import Row, Value
from serinus.metrics.arms import SIDES, Arms, Side
from serinus.metrics.places import Layout, Owner, Parts, Place
from serinus.metrics.promql import Matcher, Selector, escaped, literally
from serinus.metrics.reading import Reading, part_of, spot
from serinus.metrics.rises import CHANGED, OF, Level, Part

Topic = Literal["requests", "durations"]

NAMED = 350
"""Up to so many hosts are named in a query: to select more costs the server more than to read the others, too."""

UNATTRIBUTED = "unattributed errors"
"""Failed requests for the host that reached no endpoint: whose they were to be, nobody says."""

SCRAPE_DURATION = "scrape duration"
"""The longest that a scrape of one of these targets took, in seconds."""

_REQUESTS = "istio_requests_total"
_DURATIONS = "istio_request_duration_milliseconds"
_NATIVE = "native"
_HOST = "destination_service"
_BY: dict[Topic, tuple[str, ...]] = {"requests": ("response_code", "grpc_response_status"), "durations": ("le",)}


@dataclass(frozen=True, slots=True)
class Shape:
    """What questions must have in common to share a query."""

    topic: Topic
    reporter: str
    names: tuple[str, ...]
    fenced_by: tuple[str, ...]

    def place(self, labels: Mapping[str, str]) -> Place:
        """Where a series of the answer to a question of this shape belongs."""
        of = labels.get(OF, "")
        whose = tuple((name, labels[name]) for name in self.names if name in labels)
        return Place(Owner(labels.get(_HOST, ""), of, whose), spot(labels, () if of else _BY[self.topic]))


_shape = lru_cache(256)(Shape)
"""One for all that are equal: there are few, and questions are found by them at each tick."""


@dataclass(frozen=True)
class IstioQuestion:
    """Requests or durations of both arms of one service, as one reporter saw them."""

    topic: Topic
    arms: Arms
    reporter: str
    pods: tuple[str, ...] = ()
    """Of these pods alone, by the label `instance`; none for all."""

    @cached_property
    def _hash(self) -> int:
        return hash((self.topic, self.arms, self.reporter, self.pods))

    def __hash__(self) -> int:  # taken twenty times a tick
        return self._hash

    def of_pods(self, pods: tuple[str, ...]) -> "IstioQuestion":
        """The same of some pods only."""
        return replace(self, pods=pods)

    def series_of(self, side: Side) -> Selector | None:
        """One series at least for each of the arm's pods; None where pods are not what reports."""
        if self.reporter != "destination":
            return None
        arm = self.arms.of(side)
        matchers = [Matcher.one_of("reporter", [self.reporter]), *_of_hosts([self])]
        own = (*arm.series, *self.arms.fence)
        return Selector(_REQUESTS, (*matchers, *(Matcher.one_of(name, [value]) for name, value in own)))

    @cached_property
    def shape(self) -> Shape:
        """With which others it can share a query."""
        return _shape(self.topic, self.reporter, self.arms.names, tuple(name for name, _ in self.arms.fence))

    @cached_property
    def text(self) -> str:
        """What is counted, to be pasted into Prometheus."""
        name = {"requests": _REQUESTS, "durations": f"{_DURATIONS}_bucket"}[self.topic]
        return _selected(name, self.shape, [self]).promql()

    def promql(self, seconds: float) -> str:
        """The query for this service alone."""
        return shared_promql([self], seconds)

    def read(self, rows: Iterable[Row]) -> Reading:
        """The answer to it."""
        rows = list(rows)
        layout = Layout(self.shape.place(row.labels) for row in rows)
        return self.read_shared(layout, [row.value for row in rows])

    def read_shared(self, layout: Layout, values: Sequence[Value]) -> Reading:
        """Its own part of the answer to a shared query."""
        parts = {part: form.counted(values) for part, form in self._parts_in(layout).items()}
        for side in SIDES:  # where the series are native histograms, too, these resolve more
            native = parts.get(part_of(side, _NATIVE))
            if native is not None and native.is_known:
                parts[part_of(side, self.topic)] = native
        return Reading(parts)

    def is_exact_in(self, layout: Layout, values: Sequence[Value]) -> bool:
        """Whether nothing happened to its series that a plain question cannot count."""
        told = [form for form in self._parts_in(layout).values() if CHANGED in form.rest]
        return not any(form.counted(values).changed for form in told)

    def _parts_in(self, layout: Layout) -> Parts:
        return layout.parts(self, self.arms.host, partial(_part, self))


def shared_promql(questions: Sequence[IstioQuestion], seconds: float, *, plain_at: float | None = None) -> str:
    """One query for services whose questions have one shape, about a tick of so many seconds.

    `plain_at`: the tick's phase, for the cheaper form that Part.plain describes.
    """
    shape, members = questions[0].shape, questions
    owner = tuple(dict.fromkeys((_HOST, *shape.names)))
    parts: list[Part | Level]
    if shape.topic == "durations":
        parts = [
            Part(_selected(f"{_DURATIONS}_bucket", shape, members), owner, _BY["durations"]),
            Part(_selected(_DURATIONS, shape, members), owner, native=True, of=_NATIVE),
        ]
    else:
        requests = _selected(_REQUESTS, shape, members)
        one = _selected(
            _REQUESTS, shape, members[:1]
        )  # of one service, for how long scrapes take is no matter of them all
        parts = [
            Part(requests, owner, _BY["requests"]),
            Part(_lost(shape, members), (_HOST, *shape.fenced_by), of=UNATTRIBUTED, doubted=False),
            Level(f"max(scrape_duration_seconds and on (job, instance) {one.promql()})", of=SCRAPE_DURATION),
        ]
    return "\nor ".join(part.promql(seconds) if plain_at is None else part.plain(seconds, plain_at) for part in parts)


def _part(question: IstioQuestion, owner: Owner) -> str | None:
    """Which part of the question the owner's numbers are; None where they are not this question's."""
    arms, labels = question.arms, dict(owner.labels)
    if owner.of in ("", _NATIVE):
        side = arms.side_of(labels)
        return None if side is None else part_of(side, owner.of or question.topic)
    if owner.of == SCRAPE_DURATION or all(labels.get(name, "") == value for name, value in arms.fence):
        return owner.of
    return None


def _selected(name: str, shape: Shape, members: Sequence[IstioQuestion]) -> Selector:
    """The series of all arms of the members, and perhaps some more: the answer says whose each is."""
    matchers = [Matcher.one_of("reporter", [shape.reporter]), *_of_hosts(members)]
    for label in shape.names:
        values = [
            dict((*arm.series, *arms.fence)).get(label)
            for arms in (member.arms for member in members)
            for arm in (arms.canary, arms.stable)
        ]
        if known := [value for value in values if value is not None]:
            # An arm that does not name the label may have any value of it.
            matchers += [Matcher.one_of(label, known)] if len(known) == len(values) else []
    if pods := [pod for member in members for pod in member.pods]:
        matchers.append(Matcher.one_of("instance", pods))
    if shape.topic == "durations" and shape.reporter == "destination":
        matchers += _without({address for member in members for address in member.arms.young})
    return Selector(name, tuple(matchers))


def _without(young: Collection[str]) -> list[Matcher]:
    """All but the pods with these addresses: what a pod answers while it is cold is no fault of its version."""
    if not young:
        return []
    addresses = "|".join(literally(address) for address in sorted(young))
    with_port = f"[[]?({addresses})[]]?(:[0-9]+)?"
    return [Matcher("instance", "!~", f'"{escaped(with_port)}"')]


def _lost(shape: Shape, members: Sequence[IstioQuestion]) -> Selector:
    """Errors that no workload answered: only who sends requests sees them."""
    return Selector(
        _REQUESTS,
        (
            Matcher.one_of("reporter", ["source" if shape.reporter == "destination" else shape.reporter]),
            *_of_hosts(members),
            Matcher.one_of("destination_workload", ["unknown"]),
            Matcher("response_code", "=~", '"5.."'),
            *(
                Matcher.one_of(label, [dict(member.arms.fence)[label] for member in members])
                for label in shape.fenced_by
            ),
        ),
    )


def _of_hosts(members: Sequence[IstioQuestion]) -> list[Matcher]:
    return [Matcher.one_of(_HOST, [member.arms.host for member in members])] if len(members) <= NAMED else []

"""Exact increments, on a real Prometheus that scrapes targets which know what they showed (I3).

Everything happens once, to several services at the same time; each test looks at one of them. Ticks are laid between
scrapes afterwards, so that no boundary is a matter of milliseconds.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from lab.stack import promql
from lab.stack.alone import Alone
from serinus.api import DEFAULT_POLICY
from serinus.judge import GUARD, Counts, Evidence, Missing
from serinus.metrics import Arm, Arms, Connection, Desk, Prometheus, Slot, collect, inquiries
from tests.metrics.target import NUMBER, Series, Target, serving, tell

SCRAPE = 0.5
ROUNDS = 32  # steps of the play, each a scrape long
SERVICES = ("steady", "reset", "restarted", "new-pod", "young-pod", "gone", "missed", "renamed")


@dataclass
class Service:
    """A service with a pod for stable and one for the canary, and more that come and go."""

    host: str
    stable: Target = field(default_factory=Target)
    canary: Target = field(default_factory=Target)
    late: Target = field(default_factory=Target)

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.stable, self.canary, self.late)

    @property
    def arms(self) -> Arms:
        stable, canary = (Arm(version, (("destination_version", version),)) for version in ("v1", "v2"))
        return Arms("ml", self.host, "destination", stable=stable, canary=canary)

    def serve(self, target: Target, version: str, chance: random.Random) -> None:
        """Requests, of which some fail in one of many ways: series begin at all times."""
        for _ in range(chance.randint(1, 30)):
            code = "200" if chance.random() < 0.9 else chance.choice(["404", "500", "502", "503", "504"])
            target.add(
                __name__="istio_requests_total",
                reporter="destination",
                destination_service=self.host,
                destination_version=version,
                response_code=code,
            )

    def true_counts(self, replica: str, slot: Slot, version: str, targets: tuple[Target, ...]) -> Counts:
        rises: dict[Series, float] = {}
        for target in targets:
            for key, rise in target.rise(replica, slot.start, slot.end).items():
                rises[key] = rises.get(key, 0.0) + rise
        own = {key: rise for key, rise in rises.items() if ("destination_version", version) in key}
        failed = sum(rise for key, rise in own.items() if dict(key)["response_code"].startswith("5"))
        return Counts(sum(own.values()), failed)


@dataclass(frozen=True)
class Play:
    """What happened: the services, two replicas of Prometheus, the second of which came later, and the ticks."""

    services: dict[str, Service]
    addresses: dict[str, str]
    slots: dict[str, list[Slot]]

    def seen(self, name: str, replica: str = "a") -> list[Evidence]:
        """What is collected of each tick."""

        async def ask() -> list[Evidence]:
            desk = Desk(Prometheus(Connection(self.addresses[replica])))
            asked = inquiries(DEFAULT_POLICY, self.services[name].arms)
            try:
                found = [
                    await collect(desk, asked, slot, weight=50, silence=desk.silence) for slot in self.slots[replica]
                ]
                return [each.evidence[GUARD] for each in found]
            finally:
                await desk.prometheus.close()

        return asyncio.run(ask())


def config(directory: Path, replica: str) -> str:
    return f"""
global: {{scrape_interval: {SCRAPE * 1000:.0f}ms, scrape_timeout: {SCRAPE * 1000:.0f}ms}}
scrape_configs:
- job_name: pods
  params: {{replica: [{replica}]}}
  file_sd_configs: [{{files: [{directory}/targets.json]}}]
"""


@pytest.fixture(scope="module")
def play(alone: Alone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("increments")
    services = {name: Service(f"{name}.ml.svc.cluster.local") for name in SERVICES}
    everyone = [target for service in services.values() for target in service.targets]
    with serving(*everyone):
        alive = [target for service in services.values() for target in (service.stable, service.canary)]
        tell(directory / "targets.json", *alive)
        addresses = {"a": alone.start("a", config(directory, "a"))}
        _perform(services, alive, directory, alone, addresses)
        for replica, address in addresses.items():
            for target in everyone:
                target.learn(replica, _arrived(address, target))
        yield Play(services, addresses, {replica: list(_slots(everyone, replica)) for replica in addresses})


def _perform(
    services: dict[str, Service], alive: list[Target], directory: Path, alone: Alone, addresses: dict[str, str]
) -> None:
    chance = random.Random(7)
    for step in range(ROUNDS):
        for service in services.values():
            for target, version in ((service.stable, "v1"), (service.canary, "v2")):
                if target in alive:
                    service.serve(target, version, chance)
            if service.late in alive:
                service.serve(service.late, "v2", chance)
        if step == ROUNDS // 3:
            addresses["b"] = alone.start("b", config(directory, "b"))
        if step == ROUNDS // 2:
            services["reset"].canary.restart()
            services["restarted"].canary.restart(says_so=True)
            services["missed"].canary.failing = True
            services["renamed"].canary.extra = ("pod", "predictor-0")
            services["young-pod"].late.newborn = True
            for name in ("young-pod", "new-pod"):
                for _ in range(50):  # it has counted for long when it is first scraped
                    services[name].serve(services[name].late, "v2", chance)
                alive.append(services[name].late)
            alive.remove(services["gone"].canary)
            tell(directory / "targets.json", *alive)
        if step == ROUNDS // 2 + 3:
            services["missed"].canary.failing = False
        time.sleep(SCRAPE)  # the rhythm of the play itself, which nothing is asserted of


def _arrived(address: str, target: Target) -> list[tuple[float, int]]:
    """When which pages of a target arrived, as the server knows it."""
    found = promql.ask(address, f'{NUMBER}{{instance="{target.address}"}}[1h]')
    assert found is not None
    return [(float(time), int(number)) for series in found for time, number in series["values"]]


def _slots(targets: list[Target], replica: str) -> Iterator[Slot]:
    """Ticks of about three scrapes, whose boundaries are as far from all scrapes as can be."""
    scrapes = sorted(seen.time for target in targets for seen in target.shown.get(replica, []))
    ends = []
    at = scrapes[0] - SCRAPE
    while at < scrapes[-1]:
        near = [time for time in scrapes if at - SCRAPE < time < at + SCRAPE]
        gaps = [(after - before, (before + after) / 2) for before, after in pairwise([at - SCRAPE, *near, at + SCRAPE])]
        ends.append(round(max(gaps)[1], 3))
        at = ends[-1] + 3 * SCRAPE
    return (Slot(start, end) for start, end in pairwise(ends))


@dataclass(frozen=True)
class Tick:
    """What was collected of a tick, and what is true."""

    missing: Missing | None
    canary: Counts
    stable: Counts
    true_canary: Counts
    true_stable: Counts

    @property
    def is_true(self) -> bool:
        return (self.canary, self.stable) == (self.true_canary, self.true_stable)


def ticks(play: Play, name: str, replica: str = "a") -> list[Tick]:
    """All ticks of a service but the first, which has no past."""
    service = play.services[name]
    found = []
    for slot, seen in list(zip(play.slots[replica], play.seen(name, replica), strict=True))[1:]:
        assert isinstance(seen.canary, Counts)
        assert isinstance(seen.stable, Counts)
        true = [service.true_counts(replica, slot, version, service.targets) for version in ("v2", "v1")]
        found.append(Tick(seen.missing, seen.canary, seen.stable, *true))
    assert len(found) >= 3
    return found


def wrong(play: Play, name: str) -> list[Tick]:
    return [tick for tick in ticks(play, name) if not tick.is_true]


UNHARMED = (None, Missing.NO_TRAFFIC)


def test_every_tick_counts_exactly_what_the_scrapes_saw(play: Play) -> None:
    """Also requests with a status that a pod gives for the first time: their series begins within the tick."""
    found = ticks(play, "steady")
    assert all(tick.is_true for tick in found)
    assert all(tick.missing in UNHARMED for tick in found)
    assert sum(tick.canary.x for tick in found) > 0


@pytest.mark.parametrize("name", ["reset", "restarted"])
def test_a_counter_reset_is_named_and_never_negative(play: Play, name: str) -> None:
    found = ticks(play, name)
    assert Missing.RESET in {tick.missing for tick in found}
    assert all(tick.is_true or tick.missing in (Missing.RESET, Missing.STALE) for tick in found)
    assert all(tick.canary.x >= 0 and tick.canary.n >= 0 for tick in found)


def test_a_process_that_says_when_it_started_is_counted_from_then(play: Play) -> None:
    """Its requests after the restart are all there; those between the last scrape and the restart nobody saw."""
    harmed = [tick for tick in ticks(play, "restarted") if tick.missing is Missing.RESET]
    assert all(tick.canary.n > 0 for tick in harmed)


def test_a_pod_that_has_counted_for_long_is_a_baseline_when_it_is_first_seen(play: Play) -> None:
    """A life's requests must not count as one tick's."""
    (first,) = wrong(play, "new-pod")
    assert first.missing is Missing.PARTIAL
    assert first.canary.n < first.true_canary.n
    assert first.stable == first.true_stable


def test_a_pod_that_started_within_the_tick_counts_from_zero(play: Play) -> None:
    found = ticks(play, "young-pod")
    assert play.services["young-pod"].late.shown
    assert all(tick.is_true for tick in found)
    assert all(tick.missing in UNHARMED for tick in found)


def test_a_pod_that_vanished_keeps_what_it_had_counted(play: Play) -> None:
    found = ticks(play, "gone")
    assert all(tick.is_true for tick in found)
    assert found[-1].missing is Missing.STALE, "all of the canary's pods are gone"


def test_what_a_missed_scrape_did_not_see_the_next_one_has(play: Play) -> None:
    found = ticks(play, "missed")
    assert all(tick.is_true or tick.missing is Missing.PARTIAL for tick in found)
    assert Missing.STALE in {tick.missing for tick in found}
    assert found[-1].missing in UNHARMED, "back to normal by itself"


def test_relabelled_series_are_a_baseline(play: Play) -> None:
    """The process runs on and its target was up: the counts of its life come back under other labels."""
    (harmed,) = wrong(play, "renamed")
    assert harmed.missing is Missing.PARTIAL
    assert harmed.canary.n < harmed.true_canary.n


def test_an_empty_database_is_a_baseline(play: Play) -> None:
    """As the second replica's is when it starts."""
    first, *later = play.seen("steady", "b")
    assert first.missing is Missing.PARTIAL
    assert first.canary == first.stable == Counts()
    assert all(seen.missing in UNHARMED for seen in later)


def test_a_switch_between_two_replicas_is_exact_by_what_each_has_seen(play: Play) -> None:
    """A tick is answered by one of them whole: both ends of it are in one query."""
    assert all(tick.is_true for tick in ticks(play, "steady", "b"))


def test_never_the_wrong_arm(play: Play) -> None:
    for name in ("gone", "new-pod", "renamed", "reset"):
        assert all(tick.stable == tick.true_stable for tick in ticks(play, name))

"""The one reconcile: gather, judge, advance, carry out.

Its contract: called with a key whenever something may have changed or time is due, it brings one CanaryDeployment a
step nearer to what its spec and the evidence ask for, and says when it wants to be called again. It may be killed
between any two lines. Intent is written first (the status names the decision), then the weights (the VirtualService
names it too), then what was observed; only a rollback writes the weights first, for it is safe to repeat and seconds
matter.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from serinus.api import CanaryDeploymentStatus, Phase, RolloutStatus
from serinus.controller.batches import Batches
from serinus.controller.beginning import Looks, is_prepared_now
from serinus.controller.cache import Cache, Key, Kind, Object, key_of
from serinus.controller.calm import Calm
from serinus.controller.carriers import Carrier, split_traffic
from serinus.controller.claims import refuse_taken_routes
from serinus.controller.correspondence import Correspondence
from serinus.controller.desks import Desks
from serinus.controller.endpoints import young_pods
from serinus.controller.events import News, news_of_conditions
from serinus.controller.evidence import judge_new_ticks
from serinus.controller.figures import RECORDS, TICK_LAG_SECONDS
from serinus.controller.finalizer import finalizer_patch, has_finalizer
from serinus.controller.first_evidence import FirstEvidence
from serinus.controller.gather import (
    Manifest,
    is_leaving,
    read_arms,
    read_live,
    read_manifest,
    read_subject,
    running_subject,
)
from serinus.controller.herald import Herald
from serinus.controller.interruption import unless
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import WriteConflict, WriteFailed
from serinus.controller.pace import Pace
from serinus.controller.persistence import evidence_is_due, says_more, write_is_due
from serinus.controller.progress import Known, Progress, first_tick_start
from serinus.controller.questions import Questions
from serinus.controller.record_file import Sink
from serinus.controller.scheduler import AT_ONCE
from serinus.controller.settings import Settings
from serinus.controller.statuses import read_status
from serinus.controller.turns import phase_of
from serinus.controller.warm_targets import Target, warm_targets
from serinus.controller.warm_ups import WarmUps
from serinus.istio import subset_patch
from serinus.judge import StateError
from serinus.metrics import Grid
from serinus.notify import Guard
from serinus.rollout import (
    NO_TRAIL,
    Intent,
    Judged,
    Live,
    Obstacle,
    Outcome,
    Plan,
    PlanError,
    PointSubset,
    Record,
    SetWeight,
    Subject,
    Trail,
    advance,
    conditions,
    is_over,
    plan_in_force,
    with_more_warnings,
    with_warnings,
)

if TYPE_CHECKING:
    from serinus.controller.shipping import Shipping

_AFTER_CONFLICT = 0.5  # seconds: by then the watch has brought what the write collided with
_AFTER_OBSTACLE = 10.0  # seconds; a change of what an object names wakes it earlier, that of a rival may not
_AFTER_FAILURE = 2.0  # seconds until a write that the API server did not accept is tried again

logger = logging.getLogger(__name__)


@dataclass
class _Memory:
    """What is kept of an object between reconciles: its status may be newer here than in the cluster."""

    uid: str
    status: CanaryDeploymentStatus
    written: CanaryDeploymentStatus
    version: str = ""
    """Of the object, when it was last compared with what is remembered."""
    written_at: float = -math.inf
    """Monotonic seconds: the clock may be set."""
    unpublished: list[Record] = field(default_factory=list)
    trail: Trail = NO_TRAIL
    failure: Obstacle | None = None
    manifest: Manifest | None = None
    known: Known | None = None
    progress: Progress | None = None
    """As far as ticks have been judged that the status does not have: while more of a gap are left, or all is calm."""
    questions: Questions | None = None
    calm: Calm | None = None
    """None after a turn that left something to do."""
    due: float = math.inf
    """When time alone calls for another turn, besides that of the next tick (Unix time)."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when an override of the object has changed."""
    asked: Intent | None = None
    """What the last turn asked for: asked again at once, it did not last, and the next try waits."""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is known of it that the cluster does not know."""
        return self.status == self.written and not self.unpublished and self.failure is None


class Reconciler:
    """Reconciles CanaryDeployments one at a time by key; see the module for the contract."""

    def __init__(
        self,
        settings: Settings,
        cache: Cache,
        kube: Kube,
        wake: Callable[[Key], None],
        shipping: "Shipping | None",
        log: Sink,
        looks: Looks,
    ) -> None:
        self._settings = settings
        self._looks = looks
        self._first_evidence = FirstEvidence(settings, kube, looks.at_evidence, wake)
        self._cache = cache
        self._kube = kube
        self._shipping = shipping
        self._correspondence = Correspondence(kube, cache, Guard(settings.allowed_hooks), wake)
        self._warm_ups = WarmUps(Guard(settings.allowed_hooks), wake)
        self._log = log
        self._herald = Herald(kube)
        self._memory: dict[Key, _Memory] = {}
        self._desks = Desks(settings, kube)
        self._pace = Pace()
        self._batches = Batches(self._pace)
        self._addresses = settings.allowed_prometheus | {settings.prometheus}

    async def close(self) -> None:
        """Let the connections to Prometheus go, and give up what is on its way to people."""
        await self._first_evidence.close()
        await self._desks.close()
        await self._correspondence.close()
        await self._warm_ups.close()

    def hear(self, key: Key) -> None:
        """An override of the object has changed: a turn that waits for evidence looks whether it still must."""
        if (memory := self._memory.get(key)) is not None:
            memory.heard.set()

    def is_behind(self, key: Key) -> bool:
        """Whether ticks of the object are left that could have been judged."""
        memory = self._memory.get(key)
        return memory is not None and memory.progress is not None and not memory.progress.is_all

    def judged_until(self, key: Key) -> datetime | None:
        """The end of the last tick of a rollout that has been judged; None where its status says all that is known."""
        memory = self._memory.get(key)
        if memory is None or memory.status.rollout is None:
            return None
        return memory.progress.until if memory.progress else memory.status.rollout.judged_until

    def forget(self, key: Key) -> None:
        """Remember nothing of the object: its status in the cluster is the newest."""
        self._memory.pop(key, None)

    async def reconcile(self, key: Key) -> float | None:
        """Bring the object a step further; the Unix time at which to call again, None if only a change matters."""
        owner = self._cache.get("canarydeployments", key)
        if owner is None:
            self.forget(key)
            again = self._correspondence.without_owner(key, datetime.now(UTC))
            return again.timestamp() if again else None
        if key not in self._memory:
            await self._pace.place()
        memory = self._remembered(key, owner)
        try:
            due = await self._turn(owner, memory)
            if due is None and memory.is_at_rest:
                self.forget(key)  # rollouts that have ended are many: what wakes one reads its status again
            return due
        except (PlanError, StateError) as damage:
            if is_leaving(owner):
                logger.warning("%s/%s is deleted; its routes are left as they are: %s", *key, damage)
                await self._set_finalizer(owner, wanted=False)
                return None
            told = f"{damage}; it was edited, or written by another version. Change spec.revision to start anew"
            return await self._stall(owner, memory, Obstacle("StatusDamaged", told))
        except WriteConflict as conflict:
            logger.info("%s/%s: %s; reading it again", *key, conflict)
            return time.time() + _AFTER_CONFLICT
        except WriteFailed as failure:
            logger.warning("%s/%s: a write to the API server failed: %s", *key, failure)
            memory.failure = Obstacle("WriteFailed", f"a write to the API server failed: {failure}")
            return time.time() + _AFTER_FAILURE

    async def _turn(self, owner: Object, memory: _Memory) -> float | None:
        if is_leaving(owner) and not has_finalizer(owner):
            return None
        subject, unreadable = self._subject(owner, memory)
        if subject is None:
            if is_leaving(owner):
                await self._set_finalizer(owner, wanted=False)
                return None
            return await self._stall(owner, memory, unreadable)
        plan = plan_in_force(subject, memory.status)
        live, carriers = self._live(plan, owner, memory.status)
        try:
            if memory.status.phase is Phase.WARMING_UP:
                self._warm_targets(plan, subject, live)
            judging = self._judged(plan, memory, live, key_of(owner))
            progress = await unless(self._rollback_ordered(owner, memory), judging)
        except Obstacle as nothing_to_judge:
            live, progress = nothing_to_judge, None
        obstacle, judged, trail = unreadable or memory.failure, None, memory.trail
        if progress is not None and not progress.is_all:
            memory.progress = progress
            return self._next_look(owner, memory, plan)
        if progress is not None and obstacle is None and self._is_calm(owner, memory, subject, plan, live, progress):
            memory.progress, memory.known = progress, None
            return self._next_call(owner, memory, plan)
        if progress is not None and progress.newest is not None and memory.questions is not None:
            if not progress.newest.rolls_back:  # that waits for no other's words
                await self._pace.place()
            judged, trail = progress.in_words(plan, memory.questions.asked) or (judged, trail)
        return await self._decide(owner, memory, subject, plan, live, carriers, judged, trail, obstacle)

    def _is_calm(
        self, owner: Object, memory: _Memory, subject: Subject, plan: Plan, live: Live | Obstacle, progress: Progress
    ) -> bool:
        """Whether new ticks leave all as it is, and the status need not be written for their sake yet."""
        if memory.calm is None or isinstance(live, Obstacle) or not has_finalizer(owner):
            return False
        if self._is_evidence_due(memory, plan):
            return False
        if self._correspondence.has_news(owner) or self._first_evidence.has_found(key_of(owner)):
            return False
        return time.time() < memory.due and memory.calm.lasts(memory.status, subject, live, progress)

    def _is_evidence_due(self, memory: _Memory, plan: Plan) -> bool:
        """Whether the status is to be written even if only its evidence has changed."""
        since_written, report_every = time.monotonic() - memory.written_at, plan.report_every.total_seconds()
        return evidence_is_due(since_written=since_written, report_every=report_every, is_busy=self._kube.is_busy)

    async def _decide(
        self,
        owner: Object,
        memory: _Memory,
        subject: Subject,
        plan: Plan,
        live: Live | Obstacle,
        carriers: tuple[Carrier, ...],
        judged: Judged | None,
        trail: Trail,
        obstacle: Obstacle | None,
    ) -> float | None:
        """Advance, and carry out what that asks for; `obstacle` is what the status is to tell of besides."""
        memory.calm = None
        people = self._correspondence.people(owner)
        now = datetime.now(UTC)
        timing = self._settings.timing
        outcome = advance(
            subject,
            memory.status,
            live,
            judged,
            now=now,
            timing=timing,
            trail=trail,
            people=people,
            warmed=self._warm_ups.reply(key_of(owner)),
        )
        if obstacle is not None:
            known = conditions(outcome.status, subject, obstacle, outcome.drift, now)
            outcome = replace(outcome, status=outcome.status.model_copy(update={"conditions": known}))
        outcome = replace(outcome, status=self._looked_at(owner, plan, live, memory.status, outcome.status, now))
        told = self._correspondence.with_news(owner, memory.status, outcome.status, outcome.records, now)
        told = self._correspondence.with_report(owner, told, plan.report_every, now)
        outcome = replace(outcome, status=told)
        if not subject.leaving and not has_finalizer(owner):
            await self._set_finalizer(owner, wanted=True)  # before anything is written that deletion must undo
        if judged is not None:
            memory.known = Known(judged.state.pack(), judged.state)
        goes_on = says_more(memory.status, outcome.status)
        await self._carry_out(owner, memory, plan, outcome, carriers, trail)
        if outcome.warm_up is not None:
            with suppress(Obstacle):  # told by the next turn
                targets = self._warm_targets(plan, subject, live)
                self._warm_ups.start(key_of(owner), outcome.warm_up, plan.traffic.host, targets)
        memory.failure, memory.due = None, self._due(owner, outcome)
        asked, memory.asked = memory.asked, outcome.intent
        if outcome.let_go and outcome.intent is None:
            await self._set_finalizer(owner, wanted=False)
            return None
        if outcome.intent is None and not goes_on:
            if isinstance(live, Live) and obstacle is None and outcome.drift is None:
                memory.calm = Calm(subject, live)
            return self._next_call(owner, memory, plan)
        # What was written is in the cache and wakes nobody: go on at once, unless it is asked again and again.
        return time.time() + _AFTER_FAILURE if outcome.intent is not None and outcome.intent == asked else AT_ONCE

    def _looked_at(
        self,
        owner: Object,
        plan: Plan,
        live: Live | Obstacle,
        before: CanaryDeploymentStatus,
        status: CanaryDeploymentStatus,
        now: datetime,
    ) -> CanaryDeploymentStatus:
        """The status with what was found of a rollout that begins, now or by what was asked then."""
        key, rollout = key_of(owner), status.rollout
        if rollout is None:
            return status
        if is_prepared_now(before, status):
            status = with_warnings(status, self._looks.at_cluster(owner, plan, self._cache), now)
            if isinstance(live, Live):
                self._first_evidence.start(key, rollout, plan, live, now.timestamp())
        return with_more_warnings(status, self._first_evidence.found(key, rollout), now)

    async def _stall(self, owner: Object, memory: _Memory, obstacle: Obstacle | None) -> float | None:
        """Say why an object cannot be read: in its status, and to the people who are told of it."""
        now = datetime.now(UTC)
        stalled = _stalled(owner, memory.status, obstacle)
        memory.status = self._correspondence.with_news(owner, memory.status, stalled, (), now)
        await self._write_status(owner, memory)
        self._correspondence.send(owner, memory.written, (), now)
        again = self._correspondence.next_send(owner, memory.written)
        retry = time.time() + _AFTER_OBSTACLE
        return min(retry, again.timestamp()) if again else retry

    def _subject(self, owner: Object, memory: _Memory) -> tuple[Subject | None, Obstacle | None]:
        """The subject, or why it cannot be read; a running rollout then goes on by its own copy of the plan."""
        status = memory.status
        running = status.rollout is not None and not is_over(status)
        try:
            memory.manifest = read_manifest(owner, self._cache, memory.manifest)
            subject = read_subject(owner, memory.manifest, self._cache, self._addresses, self._settings.allowed_hooks)
            if not running:
                refuse_taken_routes(owner, self._cache)
            return subject, None
        except Obstacle as obstacle:
            return (running_subject(owner, status) if running else None), obstacle

    def _live(
        self, plan: Plan, owner: Object, status: CanaryDeploymentStatus
    ) -> tuple[Live | Obstacle, tuple[Carrier, ...]]:
        rollout = status.rollout.id if status.rollout else ""
        try:
            refuse_taken_routes(owner, self._cache)
            return read_live(plan, owner["metadata"]["namespace"], rollout, self._cache)
        except Obstacle as obstacle:
            return obstacle, ()

    def _warm_targets(self, plan: Plan, subject: Subject, live: Live | Obstacle) -> tuple[Target, ...]:
        """Where the requests of the warm-up are to go. Raises Obstacle where they cannot be sent."""
        if isinstance(live, Obstacle) or not subject.warm_up_requests:
            return ()
        ports, host = {each.port for each in subject.warm_up_requests}, plan.traffic.host
        return warm_targets(host, subject.namespace, live.canary, self._cache, ports, self._settings.allowed_hooks)

    async def _judged(self, plan: Plan, memory: _Memory, live: Live | Obstacle, key: Key) -> Progress | None:
        """How far the ticks since the cursor have been judged; None where nothing is to be judged."""
        status = memory.status
        so_far, memory.progress = memory.progress, None
        if status.rollout is None or status.phase.is_end or isinstance(live, Obstacle):
            return None
        namespace = key[0]
        arms = read_arms(plan, namespace, live, self._settings.reporter, self._settings.fence)
        grid = self._grid(plan, key)
        start = first_tick_start(status.rollout, grid)
        if start is not None and plan.warm_up:
            since = datetime.fromtimestamp(start, tz=UTC) - plan.warm_up
            arms = replace(arms, young=young_pods(plan.traffic.host, namespace, live.canary, self._cache, since))
        memory.questions = questions = Questions.of(plan, arms, memory.questions)
        desk = await self._desks.desk(plan, namespace)
        if so_far is None or not so_far.is_of(status.rollout):
            so_far = self._from_cursor(memory, plan, status.rollout)
        progress = await judge_new_ticks(
            plan, status.rollout, status.weight, questions.asked, desk, grid, time.time(), so_far, self._batches
        )
        for end in progress.ends:
            TICK_LAG_SECONDS.observe(max(0.0, time.time() - grid.complete_at(end)))
        return progress

    async def _rollback_ordered(self, owner: Object, memory: _Memory) -> None:
        """Return when a person has ordered a rollback: that waits for no evidence."""
        while not self._correspondence.is_rollback_ordered(owner, memory.status):
            memory.heard.clear()
            await memory.heard.wait()

    async def _carry_out(
        self,
        owner: Object,
        memory: _Memory,
        plan: Plan,
        outcome: Outcome,
        carriers: tuple[Carrier, ...],
        trail: Trail,
    ) -> None:
        """Status and mesh, in the order that survives a crash; then the records of what was decided."""
        intent = outcome.intent
        urgent = isinstance(intent, SetWeight) and intent.urgent
        if intent is not None and urgent:
            await self._change_mesh(plan, owner, intent, carriers)
        memory.status = outcome.status
        memory.trail = NO_TRAIL if outcome.records else trail
        memory.unpublished.extend(outcome.records)
        if self._shipping is not None:
            for record in memory.unpublished:
                await self._shipping.keep(owner, record)
        if write_is_due(memory.written, memory.status, is_evidence_due=self._is_evidence_due(memory, plan)):
            await self._write_status(owner, memory)
        if intent is not None and not urgent:
            await self._change_mesh(plan, owner, intent, carriers)
        while memory.unpublished:
            await self._publish(owner, memory.unpublished.pop(0))
        self._correspondence.send(owner, memory.written, outcome.asks, datetime.now(UTC))

    async def _change_mesh(self, plan: Plan, owner: Object, intent: Intent, carriers: tuple[Carrier, ...]) -> None:
        namespace = owner["metadata"]["namespace"]
        traffic = plan.traffic
        if isinstance(intent, PointSubset):
            rule = self._cached("destinationrules", (namespace, traffic.destination_rule))
            operations = subset_patch(rule, intent.subset, dict(intent.labels))
            self._cache.put("destinationrules", await self._kube.patch("destinationrules", rule, operations))
            return
        await split_traffic(intent, plan, owner, carriers, self._cache, self._kube)

    async def _set_finalizer(self, owner: Object, *, wanted: bool) -> None:
        newest = self._cached("canarydeployments", key_of(owner))
        written = await self._kube.patch("canarydeployments", newest, finalizer_patch(newest, wanted=wanted))
        if wanted:
            self._cache.put("canarydeployments", written)
        else:
            self._cache.drop("canarydeployments", key_of(owner))  # the watch may have told of its end already

    async def _write_status(self, owner: Object, memory: _Memory) -> None:
        if memory.status == memory.written:
            return
        newest = self._cached("canarydeployments", key_of(owner))
        if newest.get("status") != owner.get("status"):
            raise WriteConflict("another operator has written the status meanwhile")
        written = await self._kube.write_status(newest, memory.status)
        before, memory.written, memory.written_at = memory.written, memory.status, time.monotonic()
        memory.version = written["metadata"]["resourceVersion"]
        self._cache.put("canarydeployments", written)
        for news in news_of_conditions(owner, before.conditions, memory.status.conditions, datetime.now(UTC)):
            await self._herald.tell(news)

    async def _publish(self, owner: Object, record: Record) -> None:
        """The record as a line of the log, and as an Event."""
        self._log(record.line())
        if self._shipping is not None:
            self._shipping.ship(record)
        RECORDS.labels(record.verdict).inc()
        await self._herald.tell(News.of_record(owner, record))

    def _due(self, owner: Object, outcome: Outcome) -> float:
        """When time alone calls for another turn, as the rollout and the people who are to be told of it say."""
        post, status = self._correspondence, outcome.status
        due = (outcome.wake, post.next_send(owner, status), post.clear(owner, status, datetime.now(UTC)))
        return min((each.timestamp() for each in due if each is not None), default=math.inf)

    def _next_call(self, owner: Object, memory: _Memory, plan: Plan) -> float | None:
        """When time alone makes another reconcile worth it: a tick's evidence is complete, or the rollout says so."""
        due, look = memory.due, self._next_look(owner, memory, plan)
        # No tick is further away than one: where it seems so the clock was set back, and may be set right again.
        due = min(due, look, time.time() + plan.interval.total_seconds()) if look is not None else due
        return None if due == math.inf else due

    def _next_look(self, owner: Object, memory: _Memory, plan: Plan) -> float | None:
        """When the evidence of the next tick is complete, or was; None where no tick is to be judged."""
        rollout = memory.status.rollout
        if rollout is None or memory.status.phase.is_end:
            return None
        progress = memory.progress or self._from_cursor(memory, plan, rollout)
        return progress.next_look(plan, rollout, self._grid(plan, key_of(owner)))

    def _from_cursor(self, memory: _Memory, plan: Plan, rollout: RolloutStatus) -> Progress:
        memory.known = Known.of(plan, rollout, memory.known)
        return Progress.start(rollout, memory.trail, memory.known)

    def _remembered(self, key: Key, owner: Object) -> _Memory:
        uid, version = owner["metadata"]["uid"], owner["metadata"]["resourceVersion"]
        memory = self._memory.get(key)
        if memory is not None and (memory.uid, memory.version) == (uid, version):
            return memory
        status = read_status(owner)
        if memory is None or memory.uid != uid or status not in (memory.status, memory.written):
            # New to us, or another operator has written: what we remember would be taken for newer and is not.
            memory = self._memory[key] = _Memory(uid, status, status, written_at=_written_at(status))
        elif status == memory.status:
            memory.written = status  # a write of ours whose answer was lost
        memory.version = version
        return memory

    def _cached(self, kind: Kind, key: Key) -> Object:
        found = self._cache.get(kind, key)
        if found is None:
            raise WriteConflict(f"{kind} {key[0]}/{key[1]} was deleted meanwhile")
        return found

    def _grid(self, plan: Plan, key: Key) -> Grid:
        interval = plan.interval.total_seconds()
        lateness = self._settings.lateness + self._desks.lateness(plan, key[0])
        return Grid(interval, lateness, phase_of(key, interval))


def _written_at(status: CanaryDeploymentStatus) -> float:
    """When a status that another operator wrote was written, by its verdict at the latest (monotonic seconds).

    So that an operator that begins brings those up to date that are due, and not all of them at once.
    """
    if status.verdict is None:
        return -math.inf
    return time.monotonic() - max(0.0, time.time() - status.verdict.time.timestamp())


def _stalled(owner: Object, status: CanaryDeploymentStatus, obstacle: Obstacle | None) -> CanaryDeploymentStatus:
    """The status of an object that cannot be read and has no rollout under way."""
    seen = status.model_copy(update={"observed_generation": owner["metadata"]["generation"]})
    return seen.model_copy(update={"conditions": conditions(seen, None, obstacle, None, datetime.now(UTC))})

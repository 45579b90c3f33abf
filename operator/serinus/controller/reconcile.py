"""The one reconcile: gather, judge, advance, carry out.

Its contract: called with a key whenever something may have changed or time is due, it brings one CanaryDeployment a
step nearer to what its spec and the evidence ask for, and says when it wants to be called again. It may be killed
between any two lines. Intent is written first (the status names the decision), then the weights (the VirtualService
names it too), then what was observed; only a rollback writes the weights first, for it is safe to repeat and seconds
matter.
"""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TextIO

from serinus.api import CanaryDeploymentStatus
from serinus.controller.cache import Cache, Key, Kind, Object, key_of
from serinus.controller.carriers import Carrier, split_traffic
from serinus.controller.claims import refuse_taken_routes
from serinus.controller.correspondence import Correspondence
from serinus.controller.desks import Desks
from serinus.controller.evidence import judge_new_ticks, next_look
from serinus.controller.finalizer import finalizer_patch, has_finalizer
from serinus.controller.gather import is_leaving, read_arms, read_live, read_status, read_subject, running_subject
from serinus.controller.kube import Kube, WriteConflict, WriteFailed
from serinus.controller.persistence import write_is_due
from serinus.controller.settings import Settings
from serinus.controller.shipping import Shipping
from serinus.istio import subset_patch
from serinus.judge import StateError
from serinus.metrics import Grid, QueryError, inquiries
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
)

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
    written_at: float = 0.0
    unpublished: list[Record] = field(default_factory=list)
    trail: Trail = NO_TRAIL
    failure: Obstacle | None = None
    asked: Intent | None = None
    """What the last turn asked for: asked again at once, it did not last, and the next try waits."""


class Reconciler:
    """Reconciles CanaryDeployments one at a time by key; see the module for the contract."""

    def __init__(
        self,
        settings: Settings,
        cache: Cache,
        kube: Kube,
        wake: Callable[[Key], None],
        shipping: Shipping | None,
        log: TextIO = sys.stdout,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._kube = kube
        self._shipping = shipping
        self._correspondence = Correspondence(kube, cache, Guard(settings.allowed_hooks), wake)
        self._log = log
        self._memory: dict[Key, _Memory] = {}
        self._desks = Desks(settings, kube)
        self._addresses = settings.allowed_prometheus | {settings.prometheus}

    async def close(self) -> None:
        """Let the connections to Prometheus go, and give up what is on its way to people."""
        await self._desks.close()
        await self._correspondence.close()

    async def reconcile(self, key: Key) -> float | None:
        """Bring the object a step further; the Unix time at which to call again, None if only a change matters."""
        owner = self._cache.get("canarydeployments", key)
        if owner is None:
            self._memory.pop(key, None)
            return None
        memory = self._remembered(key, owner)
        try:
            return await self._turn(owner, memory)
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
        subject, unreadable = self._subject(owner, memory.status)
        if subject is None:
            if is_leaving(owner):
                await self._set_finalizer(owner, wanted=False)
                return None
            return await self._stall(owner, memory, unreadable)
        plan = plan_in_force(subject, memory.status)
        people = self._correspondence.people(owner)
        live, carriers = self._live(plan, owner)
        try:
            judged = (
                None
                if people.is_rollback_ordered(memory.status)
                else await self._judged(plan, memory.status, live, subject.namespace)
            )
        except Obstacle as nothing_to_judge:
            live, judged = nothing_to_judge, None
        now = datetime.now(UTC)
        trail = memory.trail.after(*judged.ticks) if judged else memory.trail
        timing = self._settings.timing
        outcome = advance(subject, memory.status, live, judged, now=now, timing=timing, trail=trail, people=people)
        if obstacle := unreadable or memory.failure:
            known = conditions(outcome.status, subject, obstacle, outcome.drift, now)
            outcome = replace(outcome, status=outcome.status.model_copy(update={"conditions": known}))
        told = self._correspondence.with_news(owner, memory.status, outcome.status, outcome.records, now)
        told = self._correspondence.with_report(owner, told, plan.report_every, now)
        outcome = replace(outcome, status=told)
        if not subject.leaving and not has_finalizer(owner):
            await self._set_finalizer(owner, wanted=True)  # before anything is written that deletion must undo
        await self._carry_out(owner, memory, plan, outcome, carriers, trail)
        memory.failure = None
        asked, memory.asked = memory.asked, outcome.intent
        if outcome.intent is not None:
            # What was written is in the cache: go on at once, unless it was there before and did not last.
            return time.time() + (_AFTER_FAILURE if outcome.intent == asked else 0.0)
        if outcome.let_go:
            await self._set_finalizer(owner, wanted=False)
            return None
        return self._next_call(owner, plan, outcome)

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

    def _subject(self, owner: Object, status: CanaryDeploymentStatus) -> tuple[Subject | None, Obstacle | None]:
        """The subject, or why it cannot be read; a running rollout then goes on by its own copy of the plan."""
        running = status.rollout is not None and not is_over(status)
        try:
            subject = read_subject(owner, self._cache, self._addresses, self._settings.allowed_hooks)
            if not running:
                refuse_taken_routes(owner, self._cache)
            return subject, None
        except Obstacle as obstacle:
            return (running_subject(owner, status) if running else None), obstacle

    def _live(self, plan: Plan, owner: Object) -> tuple[Live | Obstacle, tuple[Carrier, ...]]:
        try:
            refuse_taken_routes(owner, self._cache)
            return read_live(plan, owner["metadata"]["namespace"], self._cache)
        except Obstacle as obstacle:
            return obstacle, ()

    async def _judged(
        self, plan: Plan, status: CanaryDeploymentStatus, live: Live | Obstacle, namespace: str
    ) -> Judged | None:
        """The judge's answer to the slots since the cursor; None where none is due."""
        if status.rollout is None or status.phase.is_end or isinstance(live, Obstacle):
            return None
        arms = read_arms(plan, namespace, live, self._settings.reporter, self._settings.fence)
        try:
            asked = inquiries(plan.policy, arms)
        except QueryError as error:
            raise Obstacle("InvalidQuery", f"the policy's {error}") from error
        desk = await self._desks.desk(plan, namespace)
        grid = self._grid(plan, namespace)
        return await judge_new_ticks(plan, status.rollout, status.weight, asked, desk, grid, time.time())

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
        since_written = time.time() - memory.written_at
        report_every = plan.report_every.total_seconds()
        if write_is_due(memory.written, memory.status, since_written=since_written, report_every=report_every):
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
        written = await self._kube.write_status(newest, memory.status)
        memory.written, memory.written_at = memory.status, time.time()
        self._cache.put("canarydeployments", written)

    async def _publish(self, owner: Object, record: Record) -> None:
        """The record as a line of the log, and as an Event; an Event that cannot be posted stops nothing."""
        print(record.line(), file=self._log, flush=True)
        if self._shipping is not None:
            self._shipping.ship(record)
        try:
            await self._kube.post_event(
                owner,
                reason=record.reason,
                note=record.message,
                action=record.verdict,
                warning=record.verdict == "rollback",
                time=record.time,
            )
        except (WriteFailed, WriteConflict) as error:
            logger.warning("%s/%s: an Event was refused: %s", record.namespace, record.name, error)

    def _next_call(self, owner: Object, plan: Plan, outcome: Outcome) -> float | None:
        """When time alone makes another reconcile worth it: a tick's evidence is complete, or the rollout says so."""
        due = (outcome.wake, self._correspondence.next_send(owner, outcome.status))
        times = [each.timestamp() for each in due if each is not None]
        rollout = outcome.status.rollout
        if rollout is not None and not outcome.status.phase.is_end:
            look = next_look(plan, rollout, self._grid(plan, owner["metadata"]["namespace"]))
            times += [look] if look is not None else []
        return min(times, default=None)

    def _remembered(self, key: Key, owner: Object) -> _Memory:
        uid, version = owner["metadata"]["uid"], owner["metadata"]["resourceVersion"]
        memory = self._memory.get(key)
        if memory is not None and (memory.uid, memory.version) == (uid, version):
            return memory
        status = read_status(owner)
        if memory is None or memory.uid != uid or status not in (memory.status, memory.written):
            # New to us, or another operator has written: what we remember would be taken for newer and is not.
            memory = self._memory[key] = _Memory(uid, status, status)
        elif status == memory.status:
            memory.written = status  # a write of ours whose answer was lost
        memory.version = version
        return memory

    def _cached(self, kind: Kind, key: Key) -> Object:
        found = self._cache.get(kind, key)
        if found is None:
            raise WriteConflict(f"{kind} {key[0]}/{key[1]} was deleted meanwhile")
        return found

    def _grid(self, plan: Plan, namespace: str) -> Grid:
        lateness = self._settings.lateness + self._desks.scrape_duration(plan, namespace)
        return Grid(plan.interval.total_seconds(), lateness)


def _stalled(owner: Object, status: CanaryDeploymentStatus, obstacle: Obstacle | None) -> CanaryDeploymentStatus:
    """The status of an object that cannot be read and has no rollout under way."""
    told = conditions(status, None, obstacle, None, datetime.now(UTC))
    return status.model_copy(update={"observed_generation": owner["metadata"]["generation"], "conditions": told})

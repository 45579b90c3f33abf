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
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TextIO

from serinus.api import CanaryDeploymentStatus
from serinus.controller.cache import Cache, Key, Kind, Object
from serinus.controller.evidence import judge_new_ticks, next_look
from serinus.controller.gather import read_arms, read_live, read_status, read_subject, running_subject
from serinus.controller.kube import Kube, WriteConflict, WriteFailed
from serinus.controller.persistence import write_is_due
from serinus.controller.settings import Settings
from serinus.istio import ArmRoute, subset_patch, weights_patch
from serinus.judge import StateError
from serinus.metrics import Grid, Prometheus
from serinus.rollout import (
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
    advance,
    conditions,
)

_AFTER_CONFLICT = 0.5  # seconds: by then the watch has brought what the write collided with
_AFTER_FAILURE = 2.0  # seconds until a write that the API server did not accept is tried again

logger = logging.getLogger(__name__)


@dataclass
class _Memory:
    """What is kept of an object between reconciles: its status may be newer here than in the cluster."""

    uid: str
    status: CanaryDeploymentStatus
    written: CanaryDeploymentStatus
    written_at: float = 0.0
    unpublished: list[Record] = field(default_factory=list)
    failure: Obstacle | None = None


class Reconciler:
    """Reconciles CanaryDeployments one at a time by key; see the module for the contract."""

    def __init__(self, settings: Settings, cache: Cache, kube: Kube, log: TextIO = sys.stdout) -> None:
        self._settings = settings
        self._cache = cache
        self._kube = kube
        self._log = log
        self._memory: dict[Key, _Memory] = {}
        self._servers: dict[str, Prometheus] = {}
        self._addresses = settings.allowed_prometheus | {settings.prometheus}

    def close(self) -> None:
        """Let the connections to Prometheus go."""
        for server in self._servers.values():
            server.close()

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
            told = f"{damage}; it was edited, or written by another version. Change spec.revision to start anew"
            memory.status = _stalled(owner, memory.status, Obstacle("StatusDamaged", told))
            await self._write_status(owner, memory)
            return None
        except WriteConflict as conflict:
            logger.info("%s/%s: %s; reading it again", *key, conflict)
            return time.time() + _AFTER_CONFLICT
        except WriteFailed as failure:
            logger.warning("%s/%s: a write to the API server failed: %s", *key, failure)
            memory.failure = Obstacle("WriteFailed", f"a write to the API server failed: {failure}")
            return time.time() + _AFTER_FAILURE

    async def _turn(self, owner: Object, memory: _Memory) -> float | None:
        subject, unreadable = self._subject(owner, memory.status)
        if subject is None:
            memory.status = _stalled(owner, memory.status, unreadable)
            await self._write_status(owner, memory)
            return None
        plan = self._plan(subject, memory.status)
        live, routes = self._live(plan, subject.namespace)
        try:
            judged = await self._judged(plan, memory.status, live, subject.namespace)
        except Obstacle as nothing_to_judge:
            live, judged = nothing_to_judge, None
        now = datetime.now(UTC)
        outcome = advance(subject, memory.status, live, judged, now=now, timing=self._settings.timing)
        if obstacle := unreadable or memory.failure:
            told = conditions(outcome.status, subject, obstacle, now)
            outcome = replace(outcome, status=outcome.status.model_copy(update={"conditions": told}))
        await self._carry_out(owner, memory, plan, outcome, routes)
        memory.failure = None
        if outcome.intent is not None:
            return time.time()  # what was written is in the cache: go on at once
        return self._next_call(plan, outcome)

    def _plan(self, subject: Subject, status: CanaryDeploymentStatus) -> Plan:
        """The plan that the mesh is read by: the running rollout's copy, or the one that is about to start."""
        if status.rollout is None or status.rollout.release != subject.release:
            return subject.plan
        return Plan.unpack(status.rollout.snapshot)

    def _subject(self, owner: Object, status: CanaryDeploymentStatus) -> tuple[Subject | None, Obstacle | None]:
        """The subject, or why it cannot be read; a running rollout then goes on by its own copy of the plan."""
        try:
            return read_subject(owner, self._cache, self._addresses), None
        except Obstacle as obstacle:
            running = status.rollout is not None and not status.phase.is_end
            return (running_subject(owner, status) if running else None), obstacle

    def _live(self, plan: Plan, namespace: str) -> tuple[Live | Obstacle, tuple[ArmRoute, ...]]:
        try:
            return read_live(plan, namespace, self._cache)
        except Obstacle as obstacle:
            return obstacle, ()

    async def _judged(
        self, plan: Plan, status: CanaryDeploymentStatus, live: Live | Obstacle, namespace: str
    ) -> Judged | None:
        """The judge's answer to the slots since the cursor; None where none is due."""
        if status.rollout is None or status.phase.is_end or isinstance(live, Obstacle):
            return None
        arms = read_arms(plan, namespace, live, self._settings.reporter)
        server = self._prometheus(plan)
        return await judge_new_ticks(plan, status.rollout, status.weight, arms, server, self._grid(plan), time.time())

    async def _carry_out(
        self, owner: Object, memory: _Memory, plan: Plan, outcome: Outcome, routes: tuple[ArmRoute, ...]
    ) -> None:
        """Status and mesh, in the order that survives a crash; then the records of what was decided."""
        intent = outcome.intent
        urgent = isinstance(intent, SetWeight) and intent.urgent
        if intent is not None and urgent:
            await self._change_mesh(plan, owner, intent, routes)
        memory.status = outcome.status
        memory.unpublished.extend(outcome.records)
        since_written = time.time() - memory.written_at
        report_every = plan.report_every.total_seconds()
        if write_is_due(memory.written, memory.status, since_written=since_written, report_every=report_every):
            await self._write_status(owner, memory)
        if intent is not None and not urgent:
            await self._change_mesh(plan, owner, intent, routes)
        while memory.unpublished:
            await self._publish(owner, memory.unpublished.pop(0))

    async def _change_mesh(self, plan: Plan, owner: Object, intent: Intent, routes: tuple[ArmRoute, ...]) -> None:
        namespace = owner["metadata"]["namespace"]
        traffic = plan.traffic
        if isinstance(intent, PointSubset):
            rule = self._cached("destinationrules", (namespace, traffic.destination_rule))
            operations = subset_patch(rule, intent.subset, dict(intent.labels))
            self._cache.put("destinationrules", await self._kube.patch("destinationrules", rule, operations))
            return
        service = self._cached("virtualservices", (namespace, traffic.virtual_services[0].name))
        operations = weights_patch(service, routes, weight=intent.weight, decision=intent.decision)
        self._cache.put("virtualservices", await self._kube.patch("virtualservices", service, operations))

    async def _write_status(self, owner: Object, memory: _Memory) -> None:
        if memory.status == memory.written:
            return
        key = (owner["metadata"]["namespace"], owner["metadata"]["name"])
        newest = self._cached("canarydeployments", key)
        written = await self._kube.write_status(newest, memory.status)
        memory.written, memory.written_at = memory.status, time.time()
        self._cache.put("canarydeployments", written)

    async def _publish(self, owner: Object, record: Record) -> None:
        """The record as a line of the log, and as an Event; an Event that cannot be posted stops nothing."""
        print(record.line(), file=self._log, flush=True)
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

    def _next_call(self, plan: Plan, outcome: Outcome) -> float | None:
        """When time alone makes another reconcile worth it: a tick's evidence is complete, or the rollout says so."""
        times = [outcome.wake.timestamp()] if outcome.wake else []
        rollout = outcome.status.rollout
        if rollout is not None and not outcome.status.phase.is_end:
            look = next_look(plan, rollout, self._grid(plan))
            times += [look] if look is not None else []
        return min(times, default=None)

    def _remembered(self, key: Key, owner: Object) -> _Memory:
        uid = owner["metadata"]["uid"]
        memory = self._memory.get(key)
        if memory is None or memory.uid != uid:
            status = read_status(owner)
            memory = self._memory[key] = _Memory(uid, status, status)
        return memory

    def _cached(self, kind: Kind, key: Key) -> Object:
        found = self._cache.get(kind, key)
        if found is None:
            raise WriteConflict(f"{kind} {key[0]}/{key[1]} was deleted meanwhile")
        return found

    def _grid(self, plan: Plan) -> Grid:
        return Grid(plan.interval.total_seconds(), self._settings.lateness)

    def _prometheus(self, plan: Plan) -> Prometheus:
        address = (plan.prometheus and plan.prometheus.address) or self._settings.prometheus
        if address not in self._servers:
            self._servers[address] = Prometheus(address)
        return self._servers[address]


def _stalled(owner: Object, status: CanaryDeploymentStatus, obstacle: Obstacle | None) -> CanaryDeploymentStatus:
    """The status of an object that cannot be read and has no rollout under way."""
    told = conditions(status, None, obstacle, datetime.now(UTC))
    return status.model_copy(update={"observed_generation": owner["metadata"]["generation"], "conditions": told})

"""What the operator answers over HTTP, asked over HTTP: /healthz, /readyz and /metrics."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.processes import free_port
from serinus.controller.front import Address, Front
from serinus.controller.statuses import packed_status

LABELS = ("namespace", "name", "metric", "phase", "verdict", "reason")


@dataclass
class Operator:
    """What is asked of an operator."""

    port: int
    trouble: str | None = None
    missing: str | None = None
    owners: list[dict[str, Any]] = field(default_factory=list)
    judged_until: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def get(self, path: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}{path}", timeout=aiohttp.ClientTimeout(10)) as answer,
        ):
            return answer.status, await answer.text()

    async def samples(self) -> dict[tuple[str, ...], float]:
        """Of the canaries' metrics: by name and labels' values."""
        _, page = await self.get("/metrics")
        return {
            (
                sample.name.removeprefix("serinus_canary_"),
                *(sample.labels[name] for name in LABELS if name in sample.labels),
            ): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name.startswith("serinus_canary_")
        }


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    operator = Operator(free_port())
    judged_until = operator.judged_until
    front = Front(lambda: operator.trouble, lambda: operator.missing, lambda: operator.owners, judged_until.get)
    serving = asyncio.create_task(front.serve(Address("127.0.0.1", operator.port)))
    async with asyncio.timeout(30):
        while True:
            try:
                await operator.get("/healthz")
                break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)
    yield operator
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def owner(name: str, **status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "ml", "name": name}, "status": packed_status({"status": status})}


def row(metric: str, rollback: float, promote: float) -> dict[str, Any]:
    return {"metric": metric, "rollback": rollback, "promote": promote}


async def test_one_that_lives_and_is_ready_says_so(operator: Operator) -> None:
    assert await operator.get("/healthz") == (200, "ok\n")
    assert await operator.get("/readyz") == (200, "ok\n")


async def test_one_that_is_not_ready_lives_and_says_what_it_lacks(operator: Operator) -> None:
    operator.missing = "the caches are not complete yet"
    assert await operator.get("/healthz") == (200, "ok\n")
    assert await operator.get("/readyz") == (503, "the caches are not complete yet\n")


async def test_one_that_hangs_is_neither(operator: Operator) -> None:
    operator.trouble = "3 reconciles are under way, and none has come to its end for 200 s"
    assert (await operator.get("/healthz"))[0] == 503
    assert (await operator.get("/readyz"))[0] == 503


async def test_each_canary_is_told_by_phase_weight_verdict_and_evidence(operator: Operator) -> None:
    rows = [row("error-rate", 0.1, 0.9), row("latency p99", 0.5, 0.25)]
    verdict = {"verdict": "hold", "reason": "WindowNotOver"}
    operator.owners = [owner("predictor", phase="Progressing", weight=25, verdict=verdict, comparison=rows)]
    assert await operator.samples() == {
        ("phase", "ml", "predictor", "Progressing"): 1,
        ("weight_percent", "ml", "predictor"): 25,
        ("verdict", "ml", "predictor", "hold", "WindowNotOver"): 1,
        ("evidence_ratio", "ml", "predictor", "error-rate", "rollback"): 0.1,
        ("evidence_ratio", "ml", "predictor", "error-rate", "promote"): 0.9,
        ("evidence_ratio", "ml", "predictor", "latency p99", "rollback"): 0.5,
        ("evidence_ratio", "ml", "predictor", "latency p99", "promote"): 0.25,
    }


async def test_of_one_that_has_ended_no_evidence_and_of_one_that_is_gone_nothing_is_told(operator: Operator) -> None:
    operator.owners = [owner("predictor", phase="Promoted", weight=100, comparison=[row("error-rate", 0, 1)])]
    assert await operator.samples() == {
        ("phase", "ml", "predictor", "Promoted"): 1,
        ("weight_percent", "ml", "predictor"): 100,
    }
    operator.owners = []
    assert await operator.samples() == {}


async def test_what_stands_in_the_way_is_told_by_its_reason(operator: Operator) -> None:
    conditions = [
        {"type": "Stalled", "status": "True", "reason": "PolicyNotFound"},
        {"type": "TrafficAligned", "status": "False", "reason": "WeightsChanged"},
    ]
    operator.owners = [owner("predictor", conditions=conditions), owner("new")]
    told = await operator.samples()
    assert told["stalled", "ml", "predictor", "PolicyNotFound"] == 1
    assert told["phase", "ml", "new", "Pending"] == 1
    assert not any(key[0] == "stalled" and key[2] == "new" for key in told)


async def test_a_name_with_quotes_breaks_no_page(operator: Operator) -> None:
    operator.owners = [owner("predictor", comparison=[row('a "b" \\ c\n', 0.5, 0.5)])]
    assert ("evidence_ratio", "ml", "predictor", 'a "b" \\ c\n', "rollback") in await operator.samples()


async def test_every_metric_of_the_operator_has_a_help_text_and_few_series(operator: Operator) -> None:
    _, page = await operator.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(page)}
    own = {name: family for name, family in families.items() if name.startswith("serinus_")}
    assert {"serinus_reconcile_seconds", "serinus_queue_lag_seconds", "serinus_queries", "serinus_shards_held"} <= set(
        own
    )
    assert all(family.documentation for family in own.values())
    assert all(len(family.samples) < 60 for family in own.values())


async def test_until_when_a_rollout_has_been_judged_is_told_though_its_status_is_older(operator: Operator) -> None:
    rollout = {"judgedUntil": "2026-11-22T04:00:00Z"}
    operator.owners = [owner(name, phase="Progressing", rollout=rollout) for name in ("a", "b")]
    operator.owners += [owner("new", phase="WarmingUp"), owner("over", phase="Promoted", rollout=rollout)]
    operator.judged_until[("ml", "b")] = datetime(2026, 11, 22, 4, 1, tzinfo=UTC)
    found = {key[1:]: value for key, value in (await operator.samples()).items() if key[0].startswith("judged_until")}
    four = datetime(2026, 11, 22, 4, tzinfo=UTC).timestamp()
    assert found == {("ml", "a"): four, ("ml", "b"): four + 60}

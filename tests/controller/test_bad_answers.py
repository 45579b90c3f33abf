"""Servers that answer badly, up to the verdict: a hold that names the query and what came, and no secret (I3, I10)."""

import asyncio

import pytest

from serinus.judge import Missing
from serinus.metrics import Connection, Desk, Prometheus
from serinus.rollout import Judged
from tests.controller.test_evidence import START, rollout, through
from tests.metrics.test_bad_answers import BAD, CREDENTIALS, SECRET, server

REASONS = {
    Missing.NO_SERIES: "NoSeries",
    Missing.UNREACHABLE: "PrometheusUnreachable",
    Missing.PARTIAL: "PartialData",
}


def judged_from(address: str) -> Judged:
    async def ask() -> Judged | None:
        desk = Desk(Prometheus(Connection(address, CREDENTIALS)))
        try:
            return await through(desk, rollout(), START + 16)
        finally:
            await desk.prometheus.close()

    found = asyncio.run(ask())
    assert found is not None
    return found


@pytest.mark.parametrize("case", BAD)
def test_a_bad_answer_is_a_hold_that_names_the_query_and_what_came(case: str) -> None:
    body, status, missing, told = BAD[case]
    with server(body, status) as address:
        verdict = judged_from(address).verdict
    assert (verdict.verdict, verdict.reason) == ("hold", REASONS[missing])
    assert told in verdict.message
    assert 'Query: istio_requests_total{reporter="source",destination_service="h"' in verdict.message
    assert SECRET not in verdict.message

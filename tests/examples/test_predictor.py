"""R32: the demonstration service answers, fails and measures as the demonstration needs it."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from examples.predictor.app import InjectedError, create_app
from examples.predictor.classifier import classify
from examples.predictor.settings import Faults, Settings, from_environment

ALWAYS_FAILING = Settings(version="v3", faults=Faults(error_rate=1.0))


def client_of(settings: Settings, *, raising: bool = False) -> httpx.AsyncClient:
    app = create_app(settings, random.Random(1))
    transport = httpx.ASGITransport(app, raise_app_exceptions=raising)
    return httpx.AsyncClient(transport=transport, base_url="http://predictor")


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """Serve one version on a real port: its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="critical", lifespan="off"))
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@pytest.mark.parametrize(
    ("text", "label", "confidence"),
    [
        ("What a great, GREAT day!", "pos", 1.0),
        ("great food, awful and slow service", "neg", 2 / 3),
        ("good but bad", "neutral", 0.5),
        ("", "neutral", 0.5),
    ],
)
def test_a_text_is_labelled_by_the_majority_of_its_words(text: str, label: str, confidence: float) -> None:
    answer = classify(text)
    assert answer.label == label
    assert answer.confidence == pytest.approx(confidence)


async def test_r32_an_answer_names_version_prediction_confidence_and_canary() -> None:
    async with client_of(Settings(version="v2", canary=True)) as client:
        answer = await client.post("/predict", json={"text": "a great day"})
    assert answer.status_code == 200
    assert answer.json() == {"version": "v2", "prediction": "pos", "confidence": 1.0, "canary": True}
    assert answer.headers["x-version"] == "v2"


async def test_r32_an_exception_is_recorded_as_error_and_raised_again() -> None:
    async with client_of(ALWAYS_FAILING, raising=True) as client:
        with pytest.raises(InjectedError):
            await client.post("/predict", json={"text": "hi"})
        stats = (await client.get("/stats")).json()
    assert stats["predictions"] == {"error": 1}
    assert stats["errors"] == 1


async def test_a_failure_is_answered_with_500_and_says_which_version_failed() -> None:
    async with client_of(ALWAYS_FAILING) as client:
        answer = await client.post("/predict", json={"text": "hi"})
    assert answer.status_code == 500
    assert answer.headers["x-version"] == "v3"
    assert answer.json()["version"] == "v3"


async def test_a_failure_tells_proxies_that_its_connection_closes() -> None:
    async with client_of(ALWAYS_FAILING) as client:
        answer = await client.post("/predict", json={"text": "hi"})
    assert answer.headers["connection"] == "close"


async def test_r32_metrics_count_requests_errors_latency_and_predictions_by_version() -> None:
    async with client_of(Settings(version="v2")) as client:
        for text in ("great", "great", "awful", "hm"):
            await client.post("/predict", json={"text": text})
        await client.post("/faults", json={"errorRate": 1})
        await client.post("/predict", json={"text": "great"})
        exposition = (await client.get("/metrics")).text.splitlines()
    assert 'predictor_requests_total{version="v2"} 5.0' in exposition
    assert 'predictor_errors_total{version="v2"} 1.0' in exposition
    assert 'predictor_predictions_total{prediction="pos",version="v2"} 2.0' in exposition
    assert 'predictor_predictions_total{prediction="neg",version="v2"} 1.0' in exposition
    assert 'predictor_predictions_total{prediction="neutral",version="v2"} 1.0' in exposition
    assert 'predictor_predictions_total{prediction="error",version="v2"} 1.0' in exposition
    assert 'predictor_request_duration_seconds_bucket{le="+Inf",version="v2"} 5.0' in exposition


async def test_a_version_without_errors_exports_zero_not_nothing() -> None:
    async with client_of(Settings(version="v2")) as client:
        exposition = (await client.get("/metrics")).text.splitlines()
    assert 'predictor_errors_total{version="v2"} 0.0' in exposition


async def test_two_versions_in_one_process_do_not_share_their_counts() -> None:
    async with client_of(Settings(version="v1")) as one, client_of(Settings(version="v2")) as two:
        await one.post("/predict", json={"text": "hi"})
        assert (await one.get("/stats")).json()["requests"] == 1
        assert (await two.get("/stats")).json()["requests"] == 0


async def test_faults_change_while_the_service_runs_and_what_is_not_named_stays() -> None:
    async with client_of(Settings(faults=Faults(extra_latency_ms=1))) as client:
        changed = await client.post("/faults", json={"labelShift": 1})
        answer = await client.post("/predict", json={"text": "awful"})
    assert changed.json() == {"errorRate": 0, "extraLatencyMs": 1, "labelShift": 1}
    assert answer.json()["prediction"] == "pos"


async def test_the_error_rate_is_a_share_of_the_requests() -> None:
    async with client_of(Settings(faults=Faults(error_rate=0.2))) as client:
        answers = [await client.post("/predict", json={"text": "hi"}) for _ in range(500)]
    # Four standard deviations around 100 of 500; the seed is fixed.
    assert 64 <= sum(answer.status_code == 500 for answer in answers) <= 136


@pytest.mark.parametrize("change", [{"errorRate": 1.5}, {"extraLatencyMs": -1}, {"typo": 1}])
async def test_a_fault_out_of_range_or_unknown_is_refused(change: dict[str, float]) -> None:
    async with client_of(Settings()) as client:
        refused = await client.post("/faults", json=change)
        faults = await client.get("/faults")
    assert refused.status_code == 422
    assert faults.json() == {"errorRate": 0, "extraLatencyMs": 0, "labelShift": 0}


async def test_side_by_side_shows_this_version_and_its_peers_and_names_those_that_are_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        silent = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with (
        served(Settings(version="v1")) as peer,
        client_of(Settings("v2", peers=(peer, silent))) as client,
    ):
        view = (await client.get("/side-by-side")).json()
    assert [stats["version"] for stats in view["versions"]] == ["v2", "v1"]
    assert [peer["address"] for peer in view["unreachable"]] == [silent]


def test_the_environment_chooses_version_peers_and_faults() -> None:
    settings = from_environment(
        {"VERSION": "v3", "CANARY": "true", "PEERS": "http://a:1, http://b:2", "ERROR_RATE": "0.2"}
    )
    assert settings == Settings("v3", True, ("http://a:1", "http://b:2"), Faults(error_rate=0.2))


@pytest.mark.parametrize("value", ["lots", "1.5", ""])
def test_a_bad_environment_variable_is_named(value: str) -> None:
    with pytest.raises(ValueError, match=r"ERROR_RATE"):
        from_environment({"ERROR_RATE": value})

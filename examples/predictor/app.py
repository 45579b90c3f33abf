"""The demonstration service: POST /predict in as many versions as there are processes (R32).

VERSION=v2 CANARY=true ERROR_RATE=0.002 python -m examples.predictor.app --port 8082
"""

import argparse
import asyncio
import os
import random
import time

import aiohttp
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field, ValidationError

from examples.predictor.classifier import classify
from examples.predictor.metrics import ERROR, Metrics, Stats
from examples.predictor.settings import Faults, Settings, from_environment

PEER_TIMEOUT = 2.0
"""Seconds that /side-by-side waits for a peer."""


class PredictionRequest(BaseModel):
    """What is to be classified."""

    text: str = Field(max_length=10_000)


class Prediction(BaseModel):
    """The answer, and which version gave it."""

    version: str
    prediction: str
    confidence: float
    canary: bool


class Unreachable(BaseModel):
    """A peer that gave no statistics, and why."""

    address: str
    reason: str


class SideBySide(BaseModel):
    """All versions beside each other, this one first."""

    versions: list[Stats]
    unreachable: list[Unreachable]


class InjectedError(RuntimeError):
    """The failure that `errorRate` asks for."""


def create_app(settings: Settings, chance: random.Random | None = None) -> FastAPI:
    """Build one version of the service; `chance` decides which requests show a fault."""
    app = FastAPI(title="predictor", version=settings.version)
    metrics = Metrics(settings.version, settings.canary)
    chance = chance or random.Random()
    faults = settings.faults

    # Named on every answer, also on a failure, so that a client can tell who failed it.
    named = {"x-version": settings.version}

    async def predict(text: str) -> Prediction:
        if faults.extra_latency_ms:
            await asyncio.sleep(faults.extra_latency_ms / 1000)
        if chance.random() < faults.error_rate:
            raise InjectedError(f"{settings.version} fails on purpose (errorRate {faults.error_rate})")
        answer = classify(text)
        label = "pos" if chance.random() < faults.label_shift else answer.label
        return Prediction(
            version=settings.version, prediction=label, confidence=answer.confidence, canary=settings.canary
        )

    @app.post("/predict")
    async def post_predict(request: PredictionRequest, response: Response) -> Prediction:
        """Classify a text."""
        started = time.perf_counter()
        response.headers.update(named)
        try:
            prediction = await predict(request.text)
        except Exception:
            metrics.observe(ERROR, time.perf_counter() - started)
            raise
        metrics.observe(prediction.prediction, time.perf_counter() - started)
        return prediction

    @app.exception_handler(Exception)
    async def answer_exception(_request: Request, error: Exception) -> JSONResponse:
        """Answer 500; the framework raises the exception again after that, so that the server logs it."""
        # The server closes the connection when it gets an exception. A proxy that is not told would send another
        # request on it, and fail that one too.
        headers = {**named, "connection": "close"}
        return JSONResponse({"version": settings.version, "detail": str(error)}, status_code=500, headers=headers)

    @app.get("/metrics")
    async def get_metrics() -> Response:
        """Show this version's metrics in Prometheus' format."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/stats")
    async def get_stats() -> Stats:
        """Show this version's numbers as JSON."""
        return metrics.stats()

    @app.get("/side-by-side")
    async def get_side_by_side() -> SideBySide:
        """Show this version's numbers beside those of the peers it was started with."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PEER_TIMEOUT)) as session:
            answers = await asyncio.gather(*(ask_peer(session, peer) for peer in settings.peers))
        return SideBySide(
            versions=[metrics.stats(), *(answer for answer in answers if isinstance(answer, Stats))],
            unreachable=[answer for answer in answers if isinstance(answer, Unreachable)],
        )

    @app.get("/faults")
    async def get_faults() -> Faults:
        """Show the faults that are on."""
        return faults

    @app.post("/faults")
    async def post_faults(change: Faults) -> Faults:
        """Change the faults that the body mentions; from the next request on."""
        nonlocal faults
        faults = faults.changed(change)
        return faults

    @app.get("/healthz")
    async def get_healthz() -> dict[str, str]:
        """Say that the service runs."""
        return {"status": "ok"}

    return app


async def ask_peer(session: aiohttp.ClientSession, address: str) -> Stats | Unreachable:
    """Read a peer's /stats; a peer that does not answer as it should is a result, not an error."""
    try:
        async with session.get(f"{address.rstrip('/')}/stats", allow_redirects=False) as answer:
            answer.raise_for_status()
            return Stats.model_validate_json(await answer.read())
    except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
        return Unreachable(address=address, reason=f"{type(error).__name__}: {error}")


def main() -> None:
    """Serve one version as the environment describes it, until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    try:
        settings = from_environment(os.environ)
    except ValueError as error:
        parser.error(str(error))
    # No access log: at hundreds of requests a second it would cost more than the answers.
    uvicorn.run(create_app(settings), host=arguments.host, port=arguments.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()

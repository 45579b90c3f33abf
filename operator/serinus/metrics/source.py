"""The seam to Prometheus: one instant query in, vectors of samples out, every failure as one kind of error."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util import Retry

from serinus.judge.evidence import Missing

_TIMEOUT = (2.0, 5.0)  # to connect, to read: seconds
_WORKERS = 8  # queries under way at once: the client is synchronous
_DETAIL = 200  # characters of an answer that an error quotes


class SourceError(Exception):
    """A query without a usable answer. `missing` says which kind; the message says what came instead."""

    def __init__(self, missing: Missing, message: str) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer: its labels without the metric's name, and its value."""

    labels: tuple[tuple[str, str], ...]
    value: float


class Prometheus:
    """A Prometheus server, or what answers like one, at `address`.

    Queries run in a bounded pool of threads and never longer than connect and read time-outs allow; none is repeated,
    because the next tick comes anyway.
    """

    def __init__(self, address: str) -> None:
        session = requests.Session()
        session.max_redirects = 0
        session.hooks["response"].append(_refuse_doubtful)
        self.address = address.rstrip("/")
        # Method POST would send the query in the URL all the same (prometheus-api-client 0.7 passes `params`).
        self._client = PrometheusConnect(
            url=self.address,
            session=session,
            timeout=_TIMEOUT,  # a pair, as requests takes it
            retry=Retry(total=0, redirect=0),
        )
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="prometheus")

    async def query(self, promql: str, at: float) -> list[Sample]:
        """The vector that `promql` gives at Unix time `at` (seconds). Raises SourceError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._query, promql, at)

    def close(self) -> None:
        """Let the threads and connections go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _query(self, promql: str, at: float) -> list[Sample]:
        try:
            answer = self._client.custom_query(promql, params={"time": f"{at:.3f}"})
        except SourceError:
            raise
        except PrometheusApiClientException as error:
            raise SourceError(Missing.UNREACHABLE, f"{self.address}: {str(error)[:_DETAIL]}") from error
        except requests.RequestException as error:
            raise SourceError(Missing.UNREACHABLE, f"{self.address}: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(Missing.UNREACHABLE, f"{self.address}: the answer is not Prometheus's") from error
        return [_sample(entry) for entry in answer]


def _refuse_doubtful(response: requests.Response, *_: Any, **__: Any) -> None:
    """Look at what the client drops: warnings, and the type of the result."""
    if response.status_code != requests.codes.ok:
        return
    body = response.json()
    if warnings := body.get("warnings"):
        raise SourceError(Missing.PARTIAL, f"Prometheus warns: {'; '.join(map(str, warnings))[:_DETAIL]}")
    kind = body.get("data", {}).get("resultType")
    if kind != "vector":
        raise SourceError(Missing.UNREACHABLE, f"the query gives a {kind}, not a vector")


def _sample(entry: dict[str, Any]) -> Sample:
    labels = tuple(sorted((name, value) for name, value in entry["metric"].items() if name != "__name__"))
    return Sample(labels, float(entry["value"][1]))

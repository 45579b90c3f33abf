"""The evidence of one tick: every metric's question, its answer, and the names of what is missing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from serinus.api import CanaryPolicySpec, Metric
from serinus.judge.evidence import Evidence, Missing
from serinus.judge.policy import GUARD
from serinus.metrics import samples
from serinus.metrics.arms import Arms
from serinus.metrics.custom import QueryError
from serinus.metrics.custom_question import custom_question
from serinus.metrics.desk import Question, Reader
from serinus.metrics.doubts import Doubt, Finding, finding
from serinus.metrics.errors import SourceError
from serinus.metrics.istio import SCRAPE_DURATION, UNATTRIBUTED, IstioQuestion
from serinus.metrics.reach import Reach, reach
from serinus.metrics.reading import Reading
from serinus.metrics.samples import Failures, SampleError, Samples
from serinus.metrics.silence import Silence
from serinus.metrics.slot import Slot

_UNATTRIBUTED = 0.02  # of the canary's share: were all of these failures the canary's, one would want to know
_PER_SECOND = 1000.0
_UNIT = {"s": _PER_SECOND, "ms": 1.0}


@dataclass(frozen=True, slots=True)
class Collected:
    """What is known of one tick.

    `evidence`: by metric, and of requests and failed requests under GUARD. `doubts`: what is missing, in words.
    `reach`: whether requests reach their arm; None where that could not be read. `scrape_duration`: the longest that a
    scrape took, in seconds: samples of the tick may come that late.
    """

    evidence: Mapping[str, Evidence]
    doubts: tuple[Doubt, ...] = ()
    reach: Reach | None = None
    scrape_duration: float = 0.0


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How one row of the comparison is measured: what is asked, and how the answer is read.

    `names`: the parts of the answer that are counted. `quantiles`: the rows of a latency.
    """

    name: str
    question: Question
    names: tuple[str, ...]
    sample: Callable[[Reading, int], Samples]
    is_level: bool = False
    quantiles: tuple[float, ...] = ()

    @property
    def reporter(self) -> str | None:
        """Whose of Istio's metrics are read; None for other queries."""
        return self.question.reporter if isinstance(self.question, IstioQuestion) else None


def inquiries(policy: CanaryPolicySpec, arms: Arms) -> tuple[Inquiry, ...]:
    """How the guard and each metric of the policy are measured. Raises QueryError for a query that cannot be read."""
    requests = IstioQuestion("requests", arms, arms.reporter)
    guard = Inquiry(GUARD, requests, ("requests",), lambda reading, _: samples.errors(reading, Failures()))
    asked = [guard]
    for index, metric in enumerate(policy.metrics):
        try:
            asked.append(_inquiry(metric, arms))
        except QueryError as error:
            raise QueryError(f"metrics[{index}].{error}") from error
    return tuple(asked)


async def collect(reader: Reader, asked: Sequence[Inquiry], slot: Slot, *, weight: int, silence: Silence) -> Collected:
    """The evidence of all that is asked about one tick.

    `weight` is the canary's percentage of traffic then; it only tells an arm that has no traffic from one that happened
    to get none. Never raises for what a server does: the evidence names it, and the doubts say it.
    """
    answer = await reader.read_all(dict.fromkeys(inquiry.question for inquiry in asked), slot)
    evidence: dict[str, Evidence] = {}
    doubts: list[Doubt] = []
    for inquiry in asked:
        found = answer[inquiry.question]
        evidence[inquiry.name], doubted = (
            _unanswered(found) if isinstance(found, SourceError) else _evidence(inquiry, found, slot, weight)
        )
        text = inquiry.question.text
        is_silent = doubted is not None and doubted.missing is Missing.NO_SERIES
        lasting = silence.lasts(text, slot.end, is_silent=is_silent)
        if doubted is not None:
            doubts.append(Doubt(inquiry.name, doubted.missing, doubted.detail, text, lasting))
    requests = answer[asked[0].question]
    if isinstance(requests, SourceError):
        return Collected(evidence, tuple(doubts))
    took = max(requests.shared(SCRAPE_DURATION).rises.values(), default=0.0)
    return Collected(evidence, tuple(doubts), reach(requests), took)


def _unanswered(error: SourceError) -> tuple[Evidence, Finding | None]:
    return Evidence(canary=None, stable=None, missing=error.missing), Finding(error.missing, str(error))


def _evidence(inquiry: Inquiry, reading: Reading, slot: Slot, weight: int) -> tuple[Evidence, Finding | None]:
    try:
        found = inquiry.sample(reading, weight)
    except SampleError as error:
        doubted: Finding | None = Finding(Missing.PARTIAL, str(error))
        return Evidence(canary=None, stable=None, missing=Missing.PARTIAL), doubted
    doubted = finding(
        reading, found, inquiry.names, slot=slot, weight=weight, is_level=inquiry.is_level
    ) or _unattributed(reading, weight)
    return Evidence(found.canary, found.stable, missing=doubted.missing if doubted else None), doubted


def _unattributed(reading: Reading, weight: int) -> Finding | None:
    """Failures before any workload was reached, too many to be silent about if all of them were the canary's."""
    if not reading.shared(UNATTRIBUTED).rises:
        return None
    seen = reach(reading)
    if seen.unattributed == 0 or seen.unattributed <= _UNATTRIBUTED * weight / 100 * seen.total:
        return None
    return Finding(Missing.UNATTRIBUTED, f"{seen.unattributed:g} of {seen.total:g} requests reached no workload")


def _inquiry(metric: Metric, arms: Arms) -> Inquiry:
    if metric.template is not None:
        return _of_template(metric, arms)
    question = custom_question(metric, arms)
    kind = metric.effective_kind
    unit = _UNIT[metric.unit or "s"]
    by_kind: dict[str, tuple[tuple[str, ...], Callable[[Reading], Samples]]] = {
        "proportion": (("total", "events"), samples.proportion),
        "rate": (("total", "events"), samples.rate),
        "latency": (("buckets",), lambda reading: samples.latency(reading, "buckets", unit)),
        "distribution": (("classes",), samples.distribution),
        "gauge": (("value",), samples.levels),
    }
    names, sample = by_kind[kind]
    return Inquiry(
        metric.name,
        question,
        names,
        lambda reading, _: sample(reading),
        is_level=kind == "gauge",
        quantiles=metric.effective_quantiles if kind == "latency" else (),
    )


def _of_template(metric: Metric, arms: Arms) -> Inquiry:
    requests = IstioQuestion("requests", arms, arms.reporter)
    if metric.template == "istio-latency":
        durations = IstioQuestion("durations", arms, arms.reporter)
        return Inquiry(
            metric.name,
            durations,
            ("durations",),
            lambda reading, _: samples.latency(reading, "durations", 1.0),
            quantiles=metric.effective_quantiles,
        )
    if metric.template == "istio-throughput":
        # Who sends the requests sees each of them once; destinations count every retry.
        sent = IstioQuestion("requests", arms, "source" if arms.reporter == "destination" else arms.reporter)
        return Inquiry(metric.name, sent, ("requests",), samples.share)
    failures = _failures(metric)
    count = samples.successes if metric.template == "istio-success" else samples.errors
    return Inquiry(metric.name, requests, ("requests",), lambda reading, _: count(reading, failures))


def _failures(metric: Metric) -> Failures:
    usual = Failures()
    if metric.failures is None:
        return usual
    codes = tuple(code.replace("xx", "") for code in metric.failures.codes or ()) or usual.codes
    grpc = tuple(str(status) for status in metric.failures.grpc or ()) or usual.grpc
    return Failures(codes, grpc)

"""From wealth to one of three verdicts: promote, hold or rollback (R06), with the reason that decided."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from serinus.judge import wealth
from serinus.judge.comparison import Row
from serinus.judge.evidence import Missing
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import GuardState, MetricState, State

_RECENT = 2  # promotion needs data in this many last ticks ...
_EPSILON = 1e-6  # slots: the lengths of shorter ticks add up only so exactly
_COVERED = 0.9  # ... and in this share of the window


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer after a tick: `reason` is one CamelCase word for tools, `message` a sentence for people."""

    verdict: Literal["promote", "hold", "rollback"]
    reason: str
    message: str


def decide(policy: Policy, state: State, rows: tuple[Row, ...], *, window: int, bake: bool, straddles: bool) -> Verdict:
    """The verdict from the state after a tick and its rows.

    Rollback: the weighted average of the wealths of all that may roll back, the guard among them, is at least 1/α
    (an average of e-values is an e-value whatever their dependence; Vovk, Wang 2021). Promote: every gating row is
    proven now, none regressed, no data missing, enough requests in each arm, the window over. Else hold, for the
    first of these that is not so. With `bake` (all traffic on the canary) there is nothing left to prove; a tick that
    `straddles` a change of weight never promotes.
    """
    rollback = _rollback(policy, state, rows)
    if rollback is not None:
        return rollback
    if straddles:
        return Verdict("hold", "WeightChanging", "the weight changed during the last tick")
    return (
        _missing(state, rows, window)
        or _requests(policy, state, bake)
        or _regressed(rows)
        or (None if bake else _unproven(rows))
        or _window(state, window)
        or Verdict("promote", "WithinMargins", _promotion(rows, bake))
    )


def family_log_wealth(policy: Policy, state: State) -> dict[str, float]:
    """For each member that may roll back, the logarithm of its weighted wealth: its term of the average."""
    planned, ticks = policy.planned_ticks, state.ticks
    guard = min(
        wealth.rollback_total(state.guard.one_arm, ticks, planned),
        wealth.rollback_total(state.guard.two_arms, ticks, planned),
    )
    totals = {
        metric.name: wealth.rollback_total(own.rollback, ticks, planned)
        for metric, own in zip(policy.metrics, state.metrics, strict=True)
    } | {GUARD: guard}
    return {name: float(np.log(share)) + totals[name] for name, share in policy.weights.items()}


def _rollback(policy: Policy, state: State, rows: tuple[Row, ...]) -> Verdict | None:
    terms = family_log_wealth(policy, state)
    if np.logaddexp.reduce(list(terms.values())) < np.log(1 / policy.alpha):
        return None
    largest = max(terms, key=lambda name: terms[name])
    if largest == GUARD:
        canary = state.guard.canary
        return Verdict(
            "rollback",
            "ErrorSpike",
            f"rolled back: {percent(canary.x / canary.n)} of {canary.n:.0f} canary requests failed; "
            f"the limit for any canary is {percent(policy.spike)}",
        )
    row = next(row for row in rows if row.metric.name == largest)
    return Verdict("rollback", "Regression", f"rolled back: {describe(row)}")


def _missing(state: State, rows: tuple[Row, ...], window: int) -> Verdict | None:
    """Rows and state in the policy's order: see `judge`, which sorts afterwards."""
    for row, own in zip(rows, state.metrics, strict=True):
        if not row.metric.gating:
            continue
        if row.missing is not None:
            return Verdict("hold", _REASONS[row.missing], f"{row.metric.name}: {_ADVICE[row.missing]}")
        watched = min(own.ticks, window)
        if own.since_missing < min(_RECENT, own.ticks) - _EPSILON or own.good < _COVERED * watched - _EPSILON:
            return Verdict(
                "hold",
                "DataIncomplete",
                f"{row.metric.name}: data for {own.good:.0f} ticks of this step so far; a promotion needs "
                f"{_COVERED * window:.0f}, and the last {_RECENT}",
            )
    return None


def _requests(policy: Policy, state: State, bake: bool) -> Verdict | None:
    """The guard counts requests; where nobody feeds it, a metric that counts as many units does as well."""
    counted: list[GuardState | MetricState] = [state.guard, *state.metrics]
    arms = {"canary": max(each.canary.n for each in counted)}
    if not bake:
        arms["stable"] = max(each.stable.n for each in counted)
    for arm, seen in arms.items():
        if seen < policy.min_requests:
            told = f"waiting for requests: {seen:.0f}/{policy.min_requests} in the {arm} arm at this step"
            return Verdict("hold", "WaitingForRequests", told)
    return None


def _regressed(rows: tuple[Row, ...]) -> Verdict | None:
    worse = [row for row in rows if row.regressed and row.metric.gating]
    return Verdict("hold", "Regressed", f"held: {describe(worse[0])}") if worse else None


def _unproven(rows: tuple[Row, ...]) -> Verdict | None:
    waiting = [row for row in rows if row.metric.gating and not row.proven]
    if not waiting:
        return None
    least = min(waiting, key=lambda row: row.promote)
    return Verdict("hold", "Undecided", f"{describe(least)}: not yet shown to be within its margin")


def _window(state: State, window: int) -> Verdict | None:
    watched = max(own.ticks for own in state.metrics)
    if watched >= window - _EPSILON:
        return None
    return Verdict(
        "hold", "WindowOpen", f"within every margin; the window is open for {window - watched:.0f} more ticks"
    )


def _promotion(rows: tuple[Row, ...], bake: bool) -> str:
    gating = [row for row in rows if row.metric.gating]
    if bake or not gating:
        return "nothing speaks against the canary with all of the traffic"
    return "within margin: " + "; ".join(describe(row) for row in gating)


def describe(row: Row) -> str:
    """The row in a clause: both rates, the difference with its interval, the tolerance, and the canary's requests."""
    if row.canary_rate is None or row.stable_rate is None or row.difference is None:
        return f"{row.metric.name} has no requests in one arm at this step"
    ends = (
        "−∞" if row.low is None else points(row.low),
        "∞" if row.high is None else points(row.high),
    )
    return (
        f"{row.metric.name} {percent(row.canary_rate)} against {percent(row.stable_rate)}, "
        f"{points(row.difference)} pp ({100 * row.confidence:g} % CI {ends[0]} to {ends[1]}, "
        f"tolerance {row.metric.tolerance_text}) after {row.canary.n:.0f} canary requests"
    )


def percent(share: float) -> str:
    """0.0102 → 1.02 %; three significant digits, no more than two after the point."""
    value = 100 * share
    digits = 2 if abs(value) < 10 else 1
    return f"{value:.{digits}f} %"


def points(difference: float) -> str:
    """0.041 → +4.1: percentage points with a sign."""
    value = 100 * difference
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    return ("−" if value < 0 else "+") + text


_REASONS = {
    Missing.NO_TRAFFIC: "NoTraffic",
    Missing.NO_SERIES: "NoSeries",
    Missing.STALE: "StaleData",
    Missing.RESET: "CounterReset",
    Missing.UNREACHABLE: "PrometheusUnreachable",
    Missing.PARTIAL: "PartialData",
}

_ADVICE = {
    Missing.NO_TRAFFIC: "no requests in one arm during the last tick",
    Missing.NO_SERIES: "Prometheus has no such series; check the query, the labels and the reporter",
    Missing.STALE: "Prometheus has not scraped the arms since the last tick; check its targets",
    Missing.RESET: "a counter was reset during the last tick; its requests are not all known",
    Missing.UNREACHABLE: "Prometheus does not answer; check its address and its health",
    Missing.PARTIAL: "part of the last tick is unknown (a target was not scraped, or the answer was cut)",
}

"""The verdict in words: promote, hold or rollback (R06), with the reason that decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from serinus.judge import words
from serinus.judge.comparison import Row
from serinus.judge.counterfactual import counterfactual
from serinus.judge.evidence import Missing, Tick
from serinus.judge.findings import COVERED, RECENT, Finding, family_wealth, gating, is_incomplete, requests
from serinus.judge.policy import GUARD, Policy
from serinus.judge.state import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer after a tick: `reason` is one CamelCase word for tools, `message` a sentence for people."""

    verdict: Literal["promote", "hold", "rollback"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a reason may speak of."""

    policy: Policy
    state: State
    tick: Tick
    rows: Sequence[Row]
    window: int


def decide(found: Finding, policy: Policy, state: State, tick: Tick, rows: Sequence[Row], *, window: int) -> Verdict:
    """The verdict after `tick` on one rollout, by what decides; `rows` are the comparison's."""
    return _VERDICTS[found](_Case(policy, state, tick, rows, window))


def lasting_hold(finding: Finding) -> str | None:
    """The reason of the verdict that follows, if it is a hold as there may be many in a row; None for any other.

    For whoever knows already what such a hold says, and spares the comparison.
    """
    return _LASTING.get(finding)


def describe(row: Row) -> str:
    """The row in a clause: both estimates, their difference with its interval, the tolerance, and the requests."""
    if row.canary.estimate is None or row.stable.estimate is None or row.difference is None:
        return f"{row.name} has no requests in one arm at this step"
    low, high = words.end(row.low, row.unit, infinite="−∞"), words.end(row.high, row.unit, infinite="∞")
    return (
        f"{row.name} {words.estimate(row.canary.estimate, row.unit)} against "
        f"{words.estimate(row.stable.estimate, row.unit)}, {words.difference(row.difference, row.unit)} "
        f"({100 * row.confidence:g} % CI {low} to {high}, tolerance {row.metric.tolerance_text}) "
        f"after {words.amount(row.canary.total, row.unit)}"
    )


def _rollback(case: _Case) -> Verdict:
    terms = family_wealth(case.policy, case.state)
    largest = max(terms, key=lambda name: float(terms[name]))
    if largest == GUARD:
        canary = case.state.guard.watch.canary
        return Verdict(
            "rollback",
            "ErrorSpike",
            f"rolled back: {words.percent(float(canary.x / canary.n))} of {float(canary.n):.0f} canary requests "
            f"failed; the limit for any canary is {words.percent(case.policy.spike)}",
        )
    row = max(
        (row for row in case.rows if row.metric.name == largest and row.gating), key=lambda row: row.rollback_wealth
    )
    return Verdict("rollback", "Regression", f"rolled back: {describe(row)}")


def _weight_changing(case: _Case) -> Verdict:
    return Verdict("hold", "WeightChanging", "the weight changed during the last tick")


def _missing(case: _Case) -> Verdict:
    row, missing = next((row, row.missing) for row in case.rows if row.metric.gating and row.missing is not None)
    return Verdict("hold", _REASONS[missing], f"{row.metric.name}: {_ADVICE[missing]}")


def _incomplete(case: _Case) -> Verdict:
    name, good = next(
        (metric.name, ledger.watch.good)
        for metric, ledger in gating(case.policy, case.state)
        if is_incomplete(ledger, case.window)
    )
    told = (
        f"{name}: data for {good:.0f} ticks of this step so far; a promotion needs {COVERED * case.window:.0f}, "
        f"and the last {RECENT}"
    )
    return Verdict("hold", "DataIncomplete", told)


def _waiting_for_requests(case: _Case) -> Verdict:
    seen = requests(case.state, bake=case.tick.bake)
    arm = min(seen, key=lambda name: float(seen[name]))
    told = f"waiting for requests: {float(seen[arm]):.0f}/{case.policy.min_requests} in the {arm} arm at this step"
    return Verdict("hold", _LASTING[Finding.WAITING_FOR_REQUESTS], told)


def _regressed(case: _Case) -> Verdict:
    worse = max((row for row in case.rows if row.regressed and row.gating), key=lambda row: row.rollback_wealth)
    return Verdict("hold", _LASTING[Finding.REGRESSED], f"held: {describe(worse)}")


def _unproven(case: _Case) -> Verdict:
    waiting = [row for row in case.rows if row.gating and not row.proven]
    if case.policy.promote_on == "notWorse" or not waiting:
        worst = max((row for row in case.rows if row.gating), key=lambda row: row.rollback_wealth)
        return Verdict("hold", _LASTING[Finding.UNPROVEN], f"{describe(worst)}: it may be worse")
    least = min(waiting, key=lambda row: row.promote_wealth)
    told = f"{describe(least)}: not yet shown to be within its margin"
    needed = counterfactual(least).better_by
    if needed:
        told += f"; {words.size(needed, least.unit)} better would be"
    return Verdict("hold", _LASTING[Finding.UNPROVEN], told)


def _window_open(case: _Case) -> Verdict:
    left = case.window - max(ledger.watch.ticks for ledger in case.state.ledgers)
    return Verdict(
        "hold", _LASTING[Finding.WINDOW_OPEN], f"within every margin; the window is open for {left:.0f} more ticks"
    )


def _promote(case: _Case) -> Verdict:
    rows = [row for row in case.rows if row.gating]
    if case.tick.bake or not rows:
        return Verdict("promote", "WithinMargins", "nothing speaks against the canary with all of the traffic")
    told = describe(min(rows, key=lambda row: row.promote_wealth))
    if len(rows) > 1:
        told += f" (the least certain of {len(rows)} rows)"
    if case.policy.promote_on == "notWorse":
        return Verdict("promote", "NotWorse", f"no sign of a regression (its absence is not proven): {told}")
    return Verdict("promote", "WithinMargins", f"within margin: {told}")


_VERDICTS = {
    Finding.ROLLBACK: _rollback,
    Finding.WEIGHT_CHANGING: _weight_changing,
    Finding.MISSING: _missing,
    Finding.INCOMPLETE: _incomplete,
    Finding.WAITING_FOR_REQUESTS: _waiting_for_requests,
    Finding.REGRESSED: _regressed,
    Finding.UNPROVEN: _unproven,
    Finding.WINDOW_OPEN: _window_open,
    Finding.PROMOTE: _promote,
}

_LASTING = {
    Finding.WAITING_FOR_REQUESTS: "WaitingForRequests",
    Finding.REGRESSED: "Regressed",
    Finding.UNPROVEN: "Undecided",
    Finding.WINDOW_OPEN: "WindowOpen",
}

_REASONS = {
    Missing.NO_TRAFFIC: "NoTraffic",
    Missing.NO_SERIES: "NoSeries",
    Missing.STALE: "StaleData",
    Missing.RESET: "CounterReset",
    Missing.UNREACHABLE: "PrometheusUnreachable",
    Missing.PARTIAL: "PartialData",
    Missing.UNATTRIBUTED: "UnattributedErrors",
}

_ADVICE = {
    Missing.NO_TRAFFIC: "no requests in one arm during the last tick",
    Missing.NO_SERIES: "Prometheus has no such series; check the query, the labels and the reporter",
    Missing.STALE: "Prometheus has not scraped the arms since the last tick; check its targets",
    Missing.RESET: "a counter was reset during the last tick; its requests are not all known",
    Missing.UNREACHABLE: "Prometheus does not answer; check its address and its health",
    Missing.PARTIAL: "part of the last tick is unknown (a target was not scraped, or the answer was cut)",
    Missing.UNATTRIBUTED: "requests failed that no arm can be charged with; check the subsets' endpoints",
}

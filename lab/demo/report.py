"""What a demonstration leaves behind: the record of its rollouts and the figures that were measured."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from lab.demo.figures import Figure, missed
from lab.demo.timeline import Timeline
from serinus.api.status import Phase, RecordStatus

# The status repeats the history, and holds what only the operator can read.
_LEFT_OUT = {"rollouts": {"__all__": {"timeline": {"status"}}}}


@dataclass(frozen=True)
class RolloutReport:
    """A rollout as it was meant to end, as it did, and on what record."""

    expected: Phase
    timeline: Timeline
    history: tuple[RecordStatus, ...]
    """From the status: a summary for each decision."""
    records: tuple[dict[str, Any], ...]
    """From the operator's log: the full records, as they were written."""

    @property
    def ended_as_expected(self) -> bool:
        """Whether it ended, and in the phase that was expected."""
        return self.timeline.end is self.expected


@dataclass(frozen=True)
class Report:
    """A demonstration."""

    begun: datetime
    rollouts: tuple[RolloutReport, ...]
    figures: tuple[Figure, ...]

    @property
    def passed(self) -> bool:
        """Whether every rollout ended as expected. (A figure that is missed is shown, but belongs to the machine.)"""
        return all(rollout.ended_as_expected for rollout in self.rollouts)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        report = {
            **TypeAdapter(Report).dump_python(self, mode="json", by_alias=True, exclude=_LEFT_OUT),
            "figures": [figure.summary for figure in self.figures],
            "passed": self.passed,
            "missed": [figure.name for figure in missed(self.figures)],
        }
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for rollout in self.rollouts:
            yield from _rollout_lines(rollout)
            yield ""
        yield from (figure.line for figure in self.figures)


def rollout_report(expected: Phase, timeline: Timeline, log: Iterable[str]) -> RolloutReport:
    """Collect the record of a rollout from its status and from the lines of the operator's log."""
    status = timeline.status
    if status is None or status.rollout is None:
        return RolloutReport(expected, timeline, (), ())
    rollout = status.rollout.id
    # The history also holds the rollouts before this one.
    history = tuple(record for record in status.history if record.id.startswith(f"{rollout}/"))
    return RolloutReport(expected, timeline, history, tuple(records_of(rollout, log)))


def records_of(rollout: str, log: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The full records of a rollout in an operator's log: lines of JSON among others."""
    for line in log:
        # Cheap first: few lines of a log are records.
        if not line.startswith("{") or rollout not in line:
            continue
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record.get("serinus") == "record" and record.get("rollout") == rollout:
            yield record


def _rollout_lines(rollout: RolloutReport) -> Iterator[str]:
    timeline = rollout.timeline
    release = timeline.release
    end = timeline.end or "not ended"
    verdict = "as expected" if rollout.ended_as_expected else f"EXPECTED {rollout.expected}"
    yield f"{release.service} {release.stable} → {release.canary}: {end}, {verdict}"
    messages = {full["id"]: full["message"] for full in rollout.records}
    for record in rollout.history:
        after = (record.time - rollout.history[0].time).total_seconds()
        weights = f"{record.weight_before} → {record.weight_after} %"
        message = messages.get(record.id, "not in the operator's log")
        yield f"  +{after:5.1f} s  {weights:>12}  {record.verdict}: {record.reason}: {message}"
    yield f"  {timeline.failed} user requests failed by {release.canary}"

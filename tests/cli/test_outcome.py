"""When `serinus wait` has waited enough: no hanging on a rollback, and no taking another release's end for ours."""

import pytest

from serinus.api import CanaryDeploymentStatus, Phase
from serinus.cli.outcome import PATIENCE, Outcome, hindrance, outcome
from serinus.cli.seen import Seen
from tests.cli.objects import Manifest, ended, manifest, progressing, record, stalled, with_status


def come_of(given: Manifest, hindered: float = 0.0) -> Outcome | None:
    return outcome(Seen.of(given), hindered)


@pytest.mark.parametrize(
    ("phase", "promoted"), [(Phase.PROMOTED, True), (Phase.ROLLED_BACK, False), (Phase.FAILED, False)]
)
def test_an_end_is_an_end(phase: Phase, promoted: bool) -> None:
    assert come_of(ended(manifest(), phase)) == Outcome(promoted=promoted)


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_end])
def test_before_the_end_one_waits_however_long(phase: Phase) -> None:
    assert come_of(progressing(manifest(), phase=phase)) is None
    assert hindrance(Seen.of(progressing(manifest(), phase=phase))) is None


def test_the_end_of_the_release_before_is_not_the_end_of_this_one() -> None:
    """What is applied is not looked at yet, so the status speaks of what was there before."""
    given = ended(manifest(), Phase.PROMOTED)
    given["metadata"]["generation"] = 2
    assert come_of(given) is None


def test_the_end_of_one_that_was_overtaken_is_not_the_end_of_this_one() -> None:
    given = ended(manifest(), Phase.ROLLED_BACK)
    status = CanaryDeploymentStatus.model_validate(given["status"])
    overtaken = (*status.history[:-1], record(4, "superseded", "NewRelease", 25, 0, minutes=0))
    assert come_of(with_status(given, status.model_copy(update={"history": overtaken}))) is None


def test_one_that_is_deleted_is_not_promoted() -> None:
    assert outcome(None, 0.0) == Outcome(promoted=False, told="it was deleted")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (manifest(), "for 60 s the operator has not looked at it: is it running?"),
        (
            stalled(manifest()),
            "for 60 s it has been stalled (VirtualServiceNotFound): "
            "spec.traffic.virtualServices[0]: no VirtualService ml/predictor",
        ),
    ],
)
def test_what_cannot_begin_is_given_a_minute_to_pass(given: Manifest, told: str) -> None:
    assert come_of(given, PATIENCE - 1) is None
    assert come_of(given, PATIENCE) == Outcome(promoted=False, told=told)

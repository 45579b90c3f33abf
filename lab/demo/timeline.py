"""When what happened in one rollout: read off what was seen of the cluster and what the load's users got."""

from dataclasses import dataclass
from itertools import pairwise

from lab.demo.load import LoadSnapshot
from lab.demo.release import WARM_UP, Release
from lab.demo.watch import Sightings, StateSeen
from serinus.api.status import CanaryDeploymentStatus, Phase


@dataclass(frozen=True)
class Timeline:
    """One rollout. Times are seconds since the epoch; None for what has not happened."""

    release: Release
    accepted: float
    """The API server had the manifest."""
    begun: float | None
    """The operator's status told of the new rollout."""
    warmed_up: float | None
    """The warm-up was over, by the clock: from here on nothing is waited for on purpose."""
    weight_given: float | None
    """The canary got its first weight."""
    first_request: float | None
    """A user sent the first request that the canary answered."""
    weight_back: float | None
    """The weights were back at 0/100."""
    last_request: float | None
    """A user sent the last request that the canary answered."""
    highest_weight: int
    """Percent that the canary had at most."""
    failed: int
    """User requests that the canary failed."""
    ended: float | None
    """The rollout came to its end."""
    end: Phase | None
    """In which phase."""
    status: CanaryDeploymentStatus | None
    """The newest status; None before the operator took notice of the release."""

    @property
    def reaction(self) -> float | None:
        """Seconds from apply to the canary's first request, without what is waited on purpose.

        That is: until the operator began, and from the end of the warm-up. In between lie the changes of the subsets,
        each with its time to settle.
        """
        if self.begun is None or self.warmed_up is None or self.first_request is None:
            return None
        return self.begun - self.accepted + self.first_request - self.warmed_up

    @property
    def exposure(self) -> float | None:
        """Seconds from the canary's first request until the weights were back at 0/100."""
        return self.weight_back - self.first_request if self.first_request and self.weight_back else None

    @property
    def delay(self) -> float | None:
        """Seconds from a patch of the weights until traffic followed it: the slower of first and last weight."""
        delays = []
        if self.weight_given and self.first_request:
            delays.append(self.first_request - self.weight_given)
        if self.weight_back and self.last_request:
            delays.append(self.last_request - self.weight_back)
        # Below 0 where traffic followed before the watch told of the patch.
        return max(0.0, *delays) if delays else None


def timeline(release: Release, seen: Sightings, load: LoadSnapshot) -> Timeline | None:
    """The timeline of a release so far; None before the API server has its manifest."""
    states = _states(release, seen)
    if not states:
        return None
    accepted = states[0].time
    under_way = [state for state in states if state.status.rollout is not None and _is_new(state, states[0])]
    ended = next((state for state in under_way if state.status.phase.is_end), None)
    rises = [
        after.time
        for before, after in pairwise(seen.weights)
        if after.time >= accepted and before.canary == 0 and after.canary > 0
    ]
    given = rises[0] if rises else None
    during = [weight for weight in seen.weights if given and weight.time >= given]
    users = load.of(release.canary)
    return Timeline(
        release=release,
        accepted=accepted,
        begun=under_way[0].time if under_way else None,
        warmed_up=_warmed_up(under_way),
        weight_given=given,
        first_request=users.first_sent if users else None,
        weight_back=next((weight.time for weight in during if weight.canary == 0), None),
        last_request=users.last_sent if users else None,
        highest_weight=max((weight.canary for weight in during), default=0),
        failed=load.failed_by(release.canary),
        ended=ended.time if ended else None,
        end=ended.status.phase if ended else None,
        status=under_way[-1].status if under_way else None,
    )


def _states(release: Release, seen: Sightings) -> list[StateSeen]:
    """The states since the release was applied, the first of which may still speak of the rollout before."""
    return [state for state in seen.states if state.canary == release.canary]


def _is_new(state: StateSeen, first: StateSeen) -> bool:
    """Whether the state speaks of another rollout than the state in which the release was applied."""
    old = first.status.rollout
    return old is None or state.status.rollout is None or state.status.rollout.id != old.id


def _warmed_up(states: list[StateSeen]) -> float | None:
    """When the warm-up that the operator announced was over."""
    announced = next((state.time for state in states if state.status.phase is Phase.WARMING_UP), None)
    return None if announced is None else announced + WARM_UP

"""How requests are to be split between the arms: a value."""

from dataclasses import dataclass

from serinus.api.traffic import AudienceMatch, Cohort, Traffic


@dataclass(frozen=True, slots=True)
class Split:
    """The canary's percentage, of whom, and who stays where.

    `canary`: its subset. `weight`: percent of the requests of the audience (of all, where it is empty). `cohort` and
    `salt`: a user's arm is a function of both and the user's id; no cohort: every request is split anew.
    """

    canary: str
    weight: int
    audience: tuple[AudienceMatch, ...] = ()
    cohort: Cohort | None = None
    salt: str = ""

    @classmethod
    def of(cls, traffic: Traffic, canary: str, weight: int, *, rollout: str) -> "Split":
        """What `traffic` asks for while `rollout` gives the canary `weight` percent."""
        if weight == 0:
            return cls(canary, 0)
        return cls(canary, weight, traffic.audience or (), traffic.cohort, rollout)

    @property
    def own_weight(self) -> int:
        """What the owner's route itself gives to the canary: nothing, where routes before it hand the canary out."""
        return 0 if self.audience or self.sets_cookie else self.weight

    @property
    def sets_cookie(self) -> bool:
        """Whether users are kept in their arm by a cookie that Serinus sets."""
        return self.cohort is not None and self.cohort.by == "setCookie"

    @property
    def hashes(self) -> bool:
        """Whether Envoy chooses by a hash of the user's id."""
        return self.cohort is not None and self.cohort.by == "hash"

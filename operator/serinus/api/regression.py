"""How much worse than the stable: the size of a tolerance or a margin, and how two of them compare."""

from datetime import timedelta

from pydantic import Field

from serinus.api.quantity import Duration
from serinus.api.rules import Ruled, named_cel, rule

FORMS = ("absolute", "relative", "duration", "totalVariation")
"""The forms of a regression, as manifests spell them."""

_MS = timedelta(milliseconds=1)


class Regression(Ruled):
    """How much worse than the stable. Forms that are given together add up; one that is absent is 0."""

    absolute: float | None = Field(
        default=None, strict=True, ge=0, le=1, description="Difference of two proportions: 0.02 is 2 percentage points."
    )
    relative: float | None = Field(
        default=None, strict=True, ge=0, le=1000, description="Share of the stable's value: 0.1 is 10 % of it."
    )
    duration: Duration | None = Field(
        default=None, description="Difference of a latency's quantile: a duration such as 50ms."
    )
    total_variation: float | None = Field(
        default=None, strict=True, ge=0, le=1, description="Total variation distance of two distributions, 0 to 1."
    )

    @rule(cel=" || ".join(f"has(self.{form})" for form in FORMS))
    def _has_a_form(self) -> bool:
        """at least one of absolute, relative, duration and totalVariation is required"""
        return bool(self.given)

    @property
    def sizes(self) -> tuple[float, ...]:
        """Every form's size, 0 where it is absent: durations in seconds."""
        duration = self.duration or timedelta()
        return (self.absolute or 0, self.relative or 0, duration.total_seconds(), self.total_variation or 0)

    @property
    def is_zero(self) -> bool:
        """Whether any regression at all is beyond it."""
        return not any(self.sizes)

    @property
    def written(self) -> str:
        """As a manifest has it: {absolute: 0.02}."""
        sizes = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return "{" + ", ".join(f"{name}: {size}" for name, size in sizes.items()) + "}"

    def covers(self, other: "Regression") -> bool:
        """Whether it is nowhere smaller than `other`."""
        return all(own >= others for own, others in zip(self.sizes, other.sizes, strict=True))

    def times(self, factor: float) -> "Regression":
        """The same forms, so many times as large, and none larger than a manifest may say."""
        return Regression(
            absolute=_times(self.absolute, factor, 1.0),
            relative=_times(self.relative, factor, 1000.0),
            duration=None if self.duration is None else timedelta(milliseconds=round(self.duration / _MS * factor)),
            total_variation=_times(self.total_variation, factor, 1.0),
        )


def _times(size: float | None, factor: float, most: float) -> float | None:
    return None if size is None else min(most, round(size * factor, 6))


_ZERO_CEL = dict.fromkeys(FORMS, "0.0") | {"duration": "duration('0s')"}


def _size_cel(path: str, form: str) -> str:
    return f"(has({path}.{form}) ? {path}.{form} : {_ZERO_CEL[form]})"


def is_zero_cel(path: str) -> str:
    """CEL for `is_zero` of the regression at `path`."""
    return named_cel("size", path, " && ".join(f"{_size_cel('size', form)} == {_ZERO_CEL[form]}" for form in FORMS))


def covers_cel(path: str, other: str) -> str:
    """CEL for `covers` of the regressions at two paths."""
    covers = " && ".join(f"{_size_cel('size', form)} >= {_size_cel('other', form)}" for form in FORMS)
    return named_cel("size", path, named_cel("other", other, covers))

"""Rules that span fields, each written once per language and side by side: CEL for the API server, Python here.

The API server refuses a bad manifest by the CEL half; the operator and `serinus judge`, which read objects without it,
by the Python half. The docstring of a rule is the message that people see from either.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, TypeVar

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from serinus.api.model import Model

BROKEN_RULES = "broken_rules"
"""Type of the pydantic error that a broken rule raises; its context holds `broken`: pairs of path and message."""


def broken_rules(broken: Iterable[tuple[str, str]]) -> PydanticCustomError:
    """The error to raise in a validator: for each broken rule the place, relative to what is validated, and why."""
    pairs = list(broken)
    told = "; ".join(f"{place}: {message}" if place else message for place, message in pairs)
    return PydanticCustomError(BROKEN_RULES, "{told}", {"told": told, "broken": pairs})


CheckT = TypeVar("CheckT", bound=Callable[[Any], bool])


@dataclass(frozen=True)
class Rule:
    """One rule of a model: the field to blame (relative to the model), both halves, and the message."""

    field: str
    cel: str
    message: str
    holds: Callable[[Any], bool]
    culprit: Callable[[Any], str] | None

    def place(self, model: Model) -> str:
        """The field that breaks the rule, as exactly as Python can say (CEL names `field` only)."""
        return self.culprit(model) if self.culprit else self.field

    def as_validation(self) -> dict[str, str]:
        """The entry of `x-kubernetes-validations`."""
        validation = {"rule": self.cel, "message": self.message}
        return {**validation, "fieldPath": f".{self.field}"} if self.field else validation


def rule(field: str = "", *, cel: str, culprit: Callable[[Any], str] | None = None) -> Callable[[CheckT], CheckT]:
    """Make a method of a `Ruled` model one of its rules: it returns whether the rule holds.

    `field` is the field to blame, as in a manifest (absent: the model itself); `cel` says the same as the method, with
    the model as `self`; `culprit` finds the one element of a list to blame, which a fixed path in CEL cannot.
    """

    def mark(check: CheckT) -> CheckT:
        message = " ".join((check.__doc__ or "").split())
        vars(check)["rule"] = Rule(field, cel, message, check, culprit)
        return check

    return mark


def named_cel(name: str, value: str, condition: str) -> str:
    """CEL: the condition, which may speak of `value` by this name.

    For a value that is spoken of more than once: all rules of a spec are evaluated at each write of a status too, and
    the API server looks at all fields that an object may have to find one of them.
    """
    return f"[{value}].all({name}, {condition})"  # a list of one: CEL's way to name a value


@cache
def _rules_of(model: type) -> tuple[Rule, ...]:
    found = (getattr(member, "rule", None) for each in reversed(model.__mro__) for member in vars(each).values())
    return tuple(each for each in found if isinstance(each, Rule))


def _publish_rules(schema: dict[str, Any], model: type) -> None:
    if validations := [each.as_validation() for each in _rules_of(model)]:
        schema["x-kubernetes-validations"] = validations


class Ruled(Model):
    """A part of a resource that may carry rules, and where null means absent, as it does for the API server."""

    model_config = ConfigDict(json_schema_extra=_publish_rules)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that are not absent, by their names in a manifest."""
        values = {info.alias or name: getattr(self, name) for name, info in type(self).model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}

    @model_validator(mode="before")
    @classmethod
    def _null_is_absence(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {field: value for field, value in given.items() if value is not None}
        return given

    @model_validator(mode="after")
    def _keep_the_rules(self) -> Self:
        broken = [(each.place(self), each.message) for each in _rules_of(type(self)) if not each.holds(self)]
        if broken:
            raise broken_rules(broken)
        return self

"""PromQL as values: a matcher, a selector. What a value contains cannot leave its quotes (I10)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

_SPECIAL = frozenset(r"\.+*?()|[]{}^$")  # what RE2 does not take literally


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher between a selector's braces: `label`, an operator, and a string literal with its quotes."""

    label: str
    operator: str
    literal: str

    @classmethod
    def one_of(cls, label: str, values: Iterable[str]) -> "Matcher":
        """Exactly one of the values, and of nothing that looks like them."""
        chosen = sorted(set(values))
        if len(chosen) == 1:
            return cls(label, "=", f'"{escaped(chosen[0])}"')
        return cls(label, "=~", f'"{escaped("|".join(map(literally, chosen)))}"')

    def promql(self) -> str:
        """The matcher as PromQL."""
        return f"{self.label}{self.operator}{self.literal}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Series with one name that match all of the matchers."""

    name: str
    matchers: tuple[Matcher, ...] = ()

    def where(self, *matchers: Matcher) -> "Selector":
        """Only those of the series that match these, too."""
        return replace(self, matchers=(*self.matchers, *matchers))

    def promql(self) -> str:
        """The selector as PromQL."""
        return f"{self.name}{{{','.join(matcher.promql() for matcher in self.matchers)}}}"


def escaped(value: str, quote: str = '"') -> str:
    """`value` as it stands between quotes in PromQL."""
    return value.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")


def literally(value: str) -> str:
    """`value` as a regular expression (RE2) that matches only itself."""
    return "".join("\\" + character if character in _SPECIAL else character for character in value)

"""Queries of the user's own: PromQL with placeholders for the arm, read token by token.

Placeholders stand in matchers only and are filled in after the text has been cut into tokens, so that a value can never
become PromQL. The fence goes into every selector of the text, and a text in which not every selector can be told for
certain is refused. See docs/metrics.md for what users may write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from serinus.metrics.arms import Arm, Arms, Side
from serinus.metrics.promql import Matcher, Selector, escaped, literally

ARM = "arm"
"""The placeholder for matchers of the arm's series."""

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*(?:\n|$))+)
    |(?P<placeholder>\{\{\s*[A-Za-z][-\w./]*\s*\}\})
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<range>\[\s*\d[\w.]*\s*(?::\s*(?:\d[\w.]*\s*)?)?\])
    |(?P<number>(?:\d|\.\d)(?:[\w.]|(?<=[eE])[-+](?=\d))*)
    |(?P<name>[A-Za-z_:][\w:]*)
    |(?P<operator>=~|!~|==|!=|<=|>=|[-+*/%^<>=@(){},])""",
    re.VERBOSE | re.ASCII,
)
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][-\w./]*)\s*\}\}", re.ASCII)
_MATCHERS = frozenset({"=", "!=", "=~", "!~"})
_GROUPINGS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_BETWEEN = frozenset({"and", "or", "unless", "atan2", "offset"})  # stand after an operand
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})  # after which `bool` may stand
_NUMBERS = frozenset({"inf", "nan"})


class QueryError(ValueError):
    """A query that cannot be used as it is; the message says what is wrong and what to write instead."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def counter(text: str, arms: Arms, side: Side) -> Selector:
    """The counters that a query of the form `name{matchers}` selects for one arm. Raises QueryError."""
    reader = _Reader(text, arms, side)
    selector = reader.selector()
    reader.demand_arm()
    return selector


def expression(text: str, arms: Arms, side: Side) -> str:
    """Any PromQL, filled in for one arm, without comments. Raises QueryError."""
    reader = _Reader(text, arms, side)
    resolved = reader.expression()
    reader.demand_arm()
    return resolved


class _Reader:
    """Reads one query from left to right."""

    def __init__(self, text: str, arms: Arms, side: Side) -> None:
        self._text = text
        self._arms = arms
        self._arm = arms.of(side)
        self._tokens = list(_tokens(text))
        self._at = 0
        self._names_the_arm = False

    def demand_arm(self) -> None:
        if not self._names_the_arm:
            raise self._error(
                "nothing in it tells the arms apart; put {{arm}} between the braces, or a matcher such as "
                'version="{{labels.version}}" or subset="{{subset}}"'
            )

    def selector(self) -> Selector:
        name = self._next()
        if name is None or name.kind != "name" or self._next_is("("):
            raise self._error('it must be one selector of counters, name{label="value",{{arm}}}, without functions')
        matchers = self._matchers() if self._next_is("{") else ()
        if self._peek() is not None:
            raise self._error(
                f"nothing may follow the selector of counters, but there is {self._rest()!r}; Serinus itself takes "
                "their rise within a tick, exactly, where rate() and increase() would extrapolate"
            )
        return Selector(name.text, (*matchers, *self._fence()))

    def expression(self) -> str:
        parts: list[str] = []
        depth = 0
        operand: bool | None = True  # whether an operand must come next; None: it may
        while (token := self._peek()) is not None:
            if token.kind == "name":
                text, operand = self._name(operand)
                parts.append(text)
                continue
            if token.text == "{":
                parts.append(Selector("", (*self._matchers(), *self._fence())).promql())
                operand = False
                continue
            self._next()
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth < 0 or token.kind == "placeholder" or token.text == "}":
                raise self._error(f"{token.text!r} does not belong there")
            operand = token.kind == "operator" and token.text != ")"
            parts.append(token.text)
        if depth:
            raise self._error("a parenthesis is not closed")
        return " ".join(parts)

    def _name(self, operand: bool | None) -> tuple[str, bool | None]:
        """A name and what belongs to it; and whether an operand must follow."""
        name = self._next()
        assert name is not None
        word = name.text.lower()
        if word in _GROUPINGS:
            if not self._next_is("(") and word not in ("group_left", "group_right"):
                raise self._error(f"{name.text!r} must be followed by labels in parentheses")
            return name.text + self._label_list(), None
        if word in _BETWEEN or word == "bool":
            compared = self._at >= 2 and self._tokens[self._at - 2].text in _COMPARISONS
            if operand and not (word == "bool" and compared):
                raise self._error(f"{name.text!r} does not belong there")
            return name.text, True
        if word in _NUMBERS:
            return name.text, False
        follows = self._peek()
        if follows is not None and (
            follows.text == "(" or (follows.kind == "name" and follows.text.lower() in ("by", "without"))
        ):
            return name.text, None
        if operand is False:
            raise self._error(f"{name.text!r} does not belong there")
        matchers = self._matchers() if self._next_is("{") else ()
        return Selector(name.text, (*matchers, *self._fence())).promql(), False

    def _label_list(self) -> str:
        if not self._next_is("("):
            return ""
        parts = []
        while (token := self._next()) is not None:
            parts.append(token.text)
            if token.text == ")":
                return " ".join(parts)
            if token.kind not in ("name", "string") and token.text not in ("(", ","):
                break
        raise self._error("a list of labels is not closed")

    def _matchers(self) -> tuple[Matcher, ...]:
        """What stands between braces, filled in."""
        self._next()
        found: list[Matcher] = []
        while not self._next_is("}"):
            found.extend(self._matcher())
            if self._next_is(","):
                self._next()
            elif not self._next_is("}"):
                raise self._error("the matchers between braces must be separated by commas and closed by }")
        self._next()
        return tuple(found)

    def _matcher(self) -> Iterator[Matcher]:
        label = self._next()
        if label is None:
            raise self._error("a brace is not closed")
        if label.kind == "placeholder":
            if _name_in(label.text) != ARM:
                raise self._error(f"of the placeholders only {{{{arm}}}} may stand alone, not {label.text}")
            self._names_the_arm = True
            yield from (Matcher.one_of(name, [value]) for name, value in self._arm.series)
            return
        operator, literal = self._next(), self._next()
        if label.kind not in ("name", "string") or operator is None or operator.text not in _MATCHERS:
            raise self._error('a matcher must read label="value", with =, !=, =~ or !~')
        if literal is None or literal.kind != "string":
            raise self._error(f"the value of the label {label.text} must stand in quotes")
        yield Matcher(label.text, operator.text, self._filled_in(literal.text, regex="~" in operator.text))

    def _filled_in(self, literal: str, *, regex: bool) -> str:
        """The string literal with values in the place of placeholders."""

        def value(found: re.Match[str]) -> str:
            if literal[0] == "`":
                raise self._error("placeholders may stand in \"...\" or '...', not between backticks")
            given = self._value(found[1])
            return escaped(literally(given) if regex else given, literal[0])

        return _PLACEHOLDER.sub(value, literal)

    def _value(self, name: str) -> str:
        values = self._values(self._arm)
        if name not in values:
            raise self._error(
                f"there is no placeholder {{{{{name}}}}}; there are {', '.join(sorted(values))} and {ARM}"
            )
        other = self._arms.canary if self._arm is self._arms.stable else self._arms.stable
        self._names_the_arm |= values[name] != self._values(other).get(name)
        return values[name]

    def _values(self, arm: Arm) -> dict[str, str]:
        shared = {"namespace": self._arms.namespace, "host": self._arms.host}
        return shared | {"subset": arm.subset} | {f"labels.{name}": value for name, value in (*arm.series, *arm.pods)}

    def _fence(self) -> tuple[Matcher, ...]:
        return tuple(Matcher.one_of(name, [value]) for name, value in self._arms.fence)

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> _Token | None:
        token = self._peek()
        self._at += 1
        return token

    def _next_is(self, text: str) -> bool:
        token = self._peek()
        return token is not None and token.text == text

    def _rest(self) -> str:
        return " ".join(token.text for token in self._tokens[self._at :])

    def _error(self, message: str) -> QueryError:
        return QueryError(f"the query {self._text!r}: {message}")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise QueryError(f"the query {text!r}: {text[at]!r} at character {at + 1} is not PromQL")
        if found.lastgroup != "space":
            yield _Token(found.lastgroup or "", found[0])
        at = found.end()


def _name_in(placeholder: str) -> str:
    found = _PLACEHOLDER.fullmatch(placeholder)
    assert found is not None
    return found[1]

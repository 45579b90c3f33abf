"""A share of random ids as a regular expression: as large as it says, and growing without letting anybody go (R14)."""

import re
import uuid

from serinus.istio.matches import cookie_regex
from serinus.istio.share import mark_of, share_regex

PREFIXES = [f"{number:03x}" for number in range(4096)]


def chosen(percentage: int) -> set[str]:
    regex = re.compile(share_regex(percentage))
    return {prefix for prefix in PREFIXES if regex.fullmatch(f"{prefix}a1b2c-0000-4000-8000-000000000000")}


def test_every_percentage_is_met_and_holds_all_below_it() -> None:
    before: set[str] = set()
    for percentage in range(1, 101):
        now = chosen(percentage)
        assert len(now) == round(percentage * 40.96)
        assert before < now
        before = now


def test_a_cookie_is_found_wherever_it_stands_and_no_other_is_taken_for_it() -> None:
    found = re.compile(cookie_regex("a.b", "1[^;]*"))
    for header in ("a.b=12", "x=1; a.b=12", "a.b=12; x=1", "x=1;a.b=12;y=2", "x=a.b; a.b=1"):
        assert found.fullmatch(header), header
    for header in ("", "a.b=2", "axb=12", "xa.b=12", "x=a.b=12", "A.B=12"):
        assert not found.fullmatch(header), header


def test_the_ids_of_two_rollouts_are_told_apart() -> None:
    assert mark_of("r1") != mark_of("r2")
    one = re.compile(cookie_regex("arm", f"{mark_of('r1')}{share_regex(100)}"))
    assert one.fullmatch(f"arm={mark_of('r1')}{uuid.uuid4()}")
    assert not one.fullmatch(f"arm={mark_of('r2')}{uuid.uuid4()}")

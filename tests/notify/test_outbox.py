"""The outbox: nothing lost, nothing delayed, no storm."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from serinus.api.outbox import MessageStatus, OutboxStatus
from serinus.notify import due, next_delivery, posted, refused, taken

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TEAM = ("team",)


def message(number: int, at: datetime = NOW, *, urgent: bool = False) -> MessageStatus:
    return MessageStatus(key=f"r/{number}", kind="step", title=f"news {number}", body="b", time=at, urgent=urgent)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_message_is_due_at_once() -> None:
    [delivery] = due(posted(OutboxStatus(), [message(1)]), TEAM, NOW)
    assert [each.key for each in delivery.messages] == ["r/1"]


def test_a_message_that_every_channel_has_leaves_the_outbox() -> None:
    both = ("team", "pager")
    outbox = posted(OutboxStatus(), [message(1)])
    first, second = due(outbox, both, NOW)
    outbox = taken(outbox, first, both, NOW)
    assert [each.channel for each in due(outbox, both, NOW)] == ["pager"]
    outbox = taken(outbox, second, both, NOW)
    assert outbox.messages == ()
    assert next_delivery(outbox, both) is None


def test_a_channel_gets_one_delivery_a_minute() -> None:
    outbox = posted(OutboxStatus(), [message(1)])
    outbox = taken(outbox, due(outbox, TEAM, NOW)[0], TEAM, NOW)
    outbox = posted(outbox, [message(2, later(1)), message(3, later(2))])
    assert due(outbox, TEAM, later(59)) == ()
    assert next_delivery(outbox, TEAM) == later(60)
    [delivery] = due(outbox, TEAM, later(60))
    assert [each.key for each in delivery.messages] == ["r/2", "r/3"]


def test_the_end_of_a_rollout_waits_for_no_minute() -> None:
    outbox = posted(OutboxStatus(), [message(1)])
    outbox = taken(outbox, due(outbox, TEAM, NOW)[0], TEAM, NOW)
    outbox = posted(outbox, [message(2, later(1)), message(3, later(2), urgent=True)])
    [delivery] = due(outbox, TEAM, later(2))
    assert [each.key for each in delivery.messages] == ["r/2", "r/3"]


def test_a_channel_that_refuses_is_tried_again_ever_more_seldom() -> None:
    outbox = posted(OutboxStatus(), [message(1, urgent=True)])
    pauses, now = [], NOW
    for _ in range(8):
        [delivery] = due(outbox, TEAM, now)
        outbox = refused(outbox, delivery, TEAM, "answered 500", now)
        again = next_delivery(outbox, TEAM)
        assert again is not None
        pauses.append((again - now).total_seconds())
        now = again
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert outbox.channels[0].problem == "answered 500"


def test_one_channel_that_is_away_does_not_stop_the_other() -> None:
    both = ("team", "pager")
    outbox = posted(OutboxStatus(), [message(1)])
    outbox = refused(outbox, due(outbox, both, NOW)[0], both, "no answer", NOW)
    assert [each.channel for each in due(outbox, both, NOW)] == ["pager"]


def test_a_channel_that_the_spec_no_longer_names_is_forgotten() -> None:
    outbox = posted(OutboxStatus(), [message(1)])
    outbox = refused(outbox, due(outbox, ("old",), NOW)[0], ("old",), "no answer", NOW)
    [delivery] = due(outbox, TEAM, NOW)
    outbox = taken(outbox, delivery, TEAM, NOW)
    assert outbox.messages == ()
    assert [each.name for each in outbox.channels] == ["team"]


def test_where_there_is_no_room_old_news_are_joined_and_none_is_dropped() -> None:
    outbox = OutboxStatus()
    for number in range(1, 21):
        outbox = posted(outbox, [message(number)])
    assert len(outbox.messages) == 5
    told = "\n".join(f"{each.title}\n{each.body}\n" for each in outbox.messages)
    assert all(f"news {number}\n" in told for number in range(1, 21))
    assert outbox.messages[-1].key == "r/20"


EVENTS = st.lists(
    st.tuples(st.sampled_from(["news", "end", "taken", "refused", "crash"]), st.floats(0, 90)), max_size=60
)


@given(EVENTS)
def test_whatever_happens_every_message_arrives_and_none_comes_too_often(events: list[tuple[str, float]]) -> None:
    """News, refusals and crashes in any order, then a receiver that is well again."""
    outbox, now, number, got, ordinary = OutboxStatus(), NOW, 0, "", []
    persisted = outbox
    for happening, seconds in [*events, *[("taken", 61.0)] * 8]:
        now += timedelta(seconds=seconds)
        if happening in ("news", "end"):
            number += 1
            outbox = persisted = posted(outbox, [message(number, now, urgent=happening == "end")])
        for delivery in due(outbox, TEAM, now):
            if happening == "refused":
                outbox = persisted = refused(outbox, delivery, TEAM, "answered 500", now)
                continue
            got += "\n".join(f"{each.title}\n{each.body}\n" for each in delivery.messages)
            if not any(each.urgent for each in delivery.messages) and happening != "crash":
                ordinary.append(now)
            outbox = taken(outbox, delivery, TEAM, now)
            if happening == "crash":
                outbox = persisted
            persisted = outbox
    assert outbox.messages == ()
    assert all(f"news {each}\n" in got for each in range(1, number + 1))
    assert all(after - before >= timedelta(minutes=1) for before, after in pairwise(ordinary))

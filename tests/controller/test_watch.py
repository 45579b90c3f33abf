"""kopf's settings: an API server that was away, however long, is found again soon after."""

from itertools import islice

from serinus.controller.watch import watch_settings

_LONG = 1000
_TWO_TICKS = 30.0  # seconds


def test_the_api_server_is_asked_again_and_again_without_end_I4() -> None:
    """kopf gives up after a minute of its own, which would end the operator."""
    pauses = watch_settings(()).networking.error_backoffs
    for _ in range(2):  # each request begins with the first
        found = list(islice(iter(pauses), _LONG))  # type: ignore[arg-type]
        assert len(found) == _LONG
        assert found[0] < 2
        assert max(found) < _TWO_TICKS / 2


def test_no_request_and_no_watch_waits_for_ever() -> None:
    settings = watch_settings(())
    assert (settings.networking.request_timeout or 3600) <= 60
    assert settings.watching.inactivity_timeout <= 75

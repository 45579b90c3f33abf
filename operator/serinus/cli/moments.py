"""Times, and lengths of time, that people give a command."""

from datetime import UTC, datetime, timedelta

import typer

from serinus.cli.inputs import InputError


def moment(text: str, option: str, now: datetime) -> datetime:
    """A time, from one that is absolute or so long ago, in UTC. Raises typer.BadParameter, which names the option."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        from serinus.api import parse_duration

        try:
            given = now - parse_duration(text)
        except ValueError as error:
            told = f"{text!r} is neither a duration such as 24h nor a time such as 2026-11-21T14:00Z"
            raise typer.BadParameter(told, param_hint=option) from error
    return given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC)


def duration(text: str, option: str) -> timedelta:
    """A length of time. Raises InputError, which names the option."""
    from serinus.api import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}") from error

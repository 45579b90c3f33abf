"""Options of `serinus run` that tell replicas from each other: what is wrong is refused by option and reason."""

import pytest
import typer

from serinus.cli.replicas import address, lease_settings
from serinus.controller import Address


def test_where_to_listen() -> None:
    assert address(None) is None
    assert address("0.0.0.0:8080") == Address("0.0.0.0", 8080)
    assert address("[::1]:8080") == Address("::1", 8080)


@pytest.mark.parametrize("wrong", ["8080", ":8080", "http://0.0.0.0", "localhost:http", "localhost:70000", ""])
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not HOST:PORT"):
        address(wrong)


def test_a_replica_that_was_given_no_name_never_takes_the_leases_of_another_I4() -> None:
    one, other = (lease_settings("ns/serinus", None, 1, 15) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.identity != other.identity


def test_outside_a_cluster_there_are_no_leases_unless_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert lease_settings(None, None, 1, 15) is None
    with pytest.raises(typer.BadParameter, match="say --lease NAMESPACE/NAME too"):
        lease_settings(None, None, 2, 15)
    named = lease_settings("serinus-system/serinus", "pod-a", 2, 30)
    assert named is not None
    assert (named.namespace, named.name, named.identity) == ("serinus-system", "serinus", "pod-a")
    assert (named.shards, named.duration) == (2, 30)


@pytest.mark.parametrize("wrong", ["serinus", "/serinus", "ns/", "a/b/c"])
def test_what_names_no_lease_is_refused(wrong: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not NAMESPACE/NAME"):
        lease_settings(wrong, None, 1, 15)


def test_a_lease_ends_long_after_its_holder_stops_writing_I4() -> None:
    settings = lease_settings("ns/serinus", "pod-a", 1, 15)
    assert settings is not None
    assert settings.renew_every * 3 <= settings.writes_for
    assert settings.writes_for < settings.duration

"""A Prometheus behind TLS that asks who reads: its own authority, certificates of clients, passwords, headers (I10)."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from lab.stack import Lab
from lab.stack.alone import Alone
from serinus.api import Prometheus as PrometheusSpec
from serinus.controller.desks import Desks
from serinus.controller.kube import Kube
from serinus.controller.settings import Settings
from serinus.judge import Missing
from serinus.metrics import Connection, Credentials, Prometheus, SourceError
from serinus.rollout import Obstacle, Plan, Timing
from tests.metrics.guarded import Door, certificate_of, opened
from tests.rollout.conftest import subject

PASSWORD, TOKEN = "swordfish", "open-sesame"
BASIC = {"Authorization": f"Basic {b64encode(f'jo:{PASSWORD}'.encode()).decode()}"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TENANT = {"X-Scope-OrgID": "team-a"}


@pytest.fixture(scope="module")
def behind(alone: Alone) -> str:
    return alone.start("guarded", "global: {}")


def asked(address: str, secret: Mapping[str, bytes]) -> list[float]:
    """The numbers that one query brings. Raises SourceError."""

    async def ask() -> list[float]:
        prometheus = Prometheus(Connection(address, Credentials.of(secret)))
        try:
            return [*(await prometheus.query("vector(42)", 1_795_000_000.0)).values]
        finally:
            await prometheus.close()

    return asyncio.run(ask())


def refused(address: str, secret: Mapping[str, bytes]) -> str:
    """The error's text: it is unreachable, and no secret shows."""
    with pytest.raises(SourceError) as raised:
        asked(address, secret)
    assert raised.value.missing is Missing.UNREACHABLE
    assert not any(hidden in str(raised.value) for hidden in (PASSWORD, TOKEN, "team-a", "PRIVATE KEY"))
    return str(raised.value)


def test_the_authority_of_the_secret_is_trusted_and_no_other(behind: str) -> None:
    with opened(Door(behind)) as door:
        assert asked(door.address, door.ca) == [42]
        assert "Certificate" in refused(door.address, {})
        assert "Certificate" in refused(door.address, {"ca.crt": trustme.CA().cert_pem.bytes()})


def test_a_certificate_for_another_host_is_refused(behind: str) -> None:
    with opened(Door(behind, host="elsewhere.example.com")) as door:
        refused(door.address, door.ca)


def test_a_server_that_asks_for_a_certificate_gets_ours(behind: str) -> None:
    with opened(Door(behind, asks_certificate=True)) as door:
        assert asked(door.address, door.ca | certificate_of(door.clients)) == [42]
        refused(door.address, door.ca)
        refused(door.address, door.ca | certificate_of(trustme.CA()))


@pytest.mark.parametrize(
    ("headers", "right", "wrong"),
    [
        (BASIC, {"username": b"jo", "password": PASSWORD.encode()}, {"username": b"jo", "password": b"x"}),
        (BEARER, {"token": TOKEN.encode() + b"\n"}, {"token": b"x"}),
        (TENANT, {"header.X-Scope-OrgID": b"team-a"}, {"header.X-Scope-OrgID": b"team-b"}),
    ],
    ids=["basic", "bearer", "header"],
)
def test_what_the_secret_holds_is_shown(
    behind: str, headers: Mapping[str, str], right: dict[str, bytes], wrong: dict[str, bytes]
) -> None:
    with opened(Door(behind, headers)) as door:
        assert asked(door.address, door.ca | right) == [42]
        assert "status 401" in refused(door.address, door.ca | wrong)
        assert "status 401" in refused(door.address, door.ca)


# From the Secret of a real API server to the answer, and from the operator's own directory.


@pytest.fixture
def door(behind: str) -> Iterator[Door]:
    with opened(Door(behind, BEARER | TENANT, asks_certificate=True)) as it:
        yield it


def keys(door: Door) -> dict[str, bytes]:
    """All that the door asks for."""
    shown = {"token": TOKEN.encode(), "header.X-Scope-OrgID": b"team-a"}
    return door.ca | certificate_of(door.clients) | shown


def secret(name: str, data: Mapping[str, bytes]) -> str:
    encoded = {key: b64encode(value).decode() for key, value in data.items()}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"}, "data": encoded}
    )


def plan_of(address: str | None, name: str | None) -> Plan:
    named = PrometheusSpec.model_validate({"address": address, **({"secretRef": {"name": name}} if name else {})})
    return subject().plan.model_copy(update={"prometheus": named})


SETTINGS = Settings(prometheus="http://127.0.0.1:9", timing=Timing(timedelta(0), timedelta(0)))


async def answer_of(desks: Desks, plan: Plan) -> list[object]:
    try:
        return [*(await (await desks.desk(plan, "default")).prometheus.query("vector(42)", 1_795_000_000.0)).values]
    finally:
        await desks.close()


@pytest.mark.api_server
async def test_an_objects_own_secret_opens_its_own_address(api_server: Lab, kube: Kube, door: Door) -> None:
    api_server.apply(secret("guarded", keys(door)))
    assert await answer_of(Desks(SETTINGS, kube), plan_of(door.address, "guarded")) == [42]


@pytest.mark.api_server
async def test_a_secret_that_is_no_use_is_named_without_what_it_holds_I10(
    api_server: Lab, kube: Kube, door: Door
) -> None:
    api_server.apply(secret("broken", {"tls.crt": b"swordfish", "tls.key": b"swordfish"}))
    with pytest.raises(Obstacle) as raised:
        await answer_of(Desks(SETTINGS, kube), plan_of(door.address, "broken"))
    assert raised.value.reason == "PrometheusSecretUnusable"
    assert "Secret default/broken" in str(raised.value)
    assert "swordfish" not in str(raised.value)


@pytest.mark.api_server
async def test_the_operators_credentials_open_its_own_address_and_go_nowhere_else_I10(
    kube: Kube, door: Door, behind: str, tmp_path: Path
) -> None:
    for key, value in keys(door).items():
        (tmp_path / key).write_bytes(value)
    own = replace(SETTINGS, prometheus=door.address, prometheus_credentials=tmp_path)
    assert await answer_of(Desks(own, kube), plan_of(None, None)) == [42]
    with opened(Door(behind, BEARER)) as other:
        # The same token would open it, and so would its authority: but neither is shown to it.
        (tmp_path / "ca.crt").write_bytes(b"".join([*door.ca.values(), *other.ca.values()]))
        with pytest.raises(SourceError):
            await answer_of(Desks(own, kube), plan_of(other.address, None))

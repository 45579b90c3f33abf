"""Who gets the canary, through the real Envoy."""

import asyncio
import json
import math
import urllib.request
import zlib
from collections.abc import Iterator

import pytest

from lab.demo.stage import start_version
from lab.processes import Launch
from lab.programs import envoy
from lab.stack import Lab, web
from lab.stack.service import Service
from lab.waiting import wait_until
from serinus.api.traffic import AudienceMatch, Cohort
from serinus.cohort import in_canary
from serinus.istio import Split
from tests.istio.conftest import Routed
from tests.istio.users import Answer, ask

pytestmark = pytest.mark.mesh

USERS = [f"user-{number}" for number in range(10_000)]
VERSION = {True: "v2", False: "v1"}


@pytest.fixture
def routed(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Routed]:
    """A service with both versions, named after the test; all its traffic is on stable."""
    service = lab.add_service(f"svc-{zlib.crc32(request.node.name.encode())}")
    workloads = [start_version(lab, service.name, version, error_rate=0.0) for version in ("v1", "v2")]
    yield Routed(lab, service.name, lab.namespace, service.mesh_host)
    lab.kubectl("delete", "envoyfilter", f"serinus-{service.name}", "--namespace=demo", "--ignore-not-found")
    for workload in workloads:
        workload.stop()


async def send(routed: Routed, requests: list[dict[str, str]]) -> list[Answer]:
    answers = await ask(routed.lab.gateway_url, Service(routed.name).host, requests)
    assert {answer.status for answer in answers} == {200}
    return answers


async def versions(routed: Routed, header: str, ids: list[str]) -> list[str]:
    form = "uid={}; theme=dark" if header == "cookie" else "{}"
    return [answer.version for answer in await send(routed, [{header: form.format(user)} for user in ids])]


def await_routes(routed: Routed, *words: str) -> None:
    """Until the gateway's routes have all these words."""

    def told() -> bool:
        answer = web.get(f"{routed.lab.mesh.envoy_admin_url}/config_dump?resource=dynamic_route_configs")
        hosts = [
            json.dumps(host)
            for config in (answer.json().get("configs", []) if answer else [])
            for host in config["route_config"].get("virtual_hosts", [])
            if Service(routed.name).host in host["domains"]
        ]
        return bool(hosts) and all(word in hosts[0] for word in words)

    wait_until(told, f"the gateway's routes to have {words}")


def keep(routed: Routed, split: Split) -> None:
    """Hash cohorts at the split's weight, on the gateway."""
    routed.hash_by(split)
    routed.split(split)
    await_routes(routed, f'"weight": {split.weight}', '"use_hash_policy": true')
    probe = next(u for u in USERS if in_canary(u, split.salt, split.weight) != in_canary(u, split.salt, 0))
    header = {"cookie": f"uid={probe}"} if split.cohort and split.cohort.cookie else {"x-user-id": probe}
    wait_until(lambda: answer_of(routed, header) == "v2", "the header that is hashed")


def answer_of(routed: Routed, headers: dict[str, str]) -> str:
    request = urllib.request.Request(
        f"{routed.lab.gateway_url}/predict",
        data=b'{"text": "what a great day"}',
        headers={**headers, "host": Service(routed.name).host, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.headers["x-version"])


def within_binomial_bounds(count: int, total: int, share: float) -> bool:
    """Five standard deviations: once in two million tests it is not."""
    return abs(count - total * share) <= 5 * math.sqrt(total * share * (1 - share))


@pytest.mark.parametrize("source", ["x-user-id", "cookie"])
async def test_envoy_chooses_the_librarys_arm_for_every_one_of_10000_users_R14_R17_R18(
    routed: Routed, source: str
) -> None:
    cohort = Cohort(cookie="uid") if source == "cookie" else Cohort(header=source)
    keep(routed, Split("canary", 5, cohort=cohort, salt="r42"))
    at_5 = await versions(routed, source, USERS)
    assert at_5 == [VERSION[in_canary(user, "r42", 5)] for user in USERS]
    assert within_binomial_bounds(at_5.count("v2"), len(USERS), 0.05)

    keep(routed, Split("canary", 25, cohort=cohort, salt="r42"))
    some = USERS[:2000]
    at_25 = await versions(routed, source, some)
    assert at_25 == [VERSION[in_canary(user, "r42", 25)] for user in some]
    assert {user for user, arm in zip(USERS[:2000], at_5, strict=False) if arm == "v2"} <= {
        user for user, arm in zip(some, at_25, strict=True) if arm == "v2"
    }


async def test_10000_requests_without_an_id_are_split_per_request_and_not_as_one_user_R17(routed: Routed) -> None:
    keep(routed, Split("canary", 25, cohort=Cohort(header="x-user-id"), salt="r42"))
    answers = await send(routed, [{}] * 10_000)
    assert within_binomial_bounds([answer.version for answer in answers].count("v2"), len(answers), 0.25)
    empty = await send(routed, [{"x-user-id": ""}] * 500)
    assert len({answer.version for answer in empty}) == 2


async def test_a_cohort_outlives_the_gateway_and_the_next_rollouts_is_another_R14(lab: Lab, routed: Routed) -> None:
    some = USERS[:2000]
    keep(routed, Split("canary", 25, cohort=Cohort(header="x-user-id"), salt="r42"))
    before = await versions(routed, "x-user-id", some)
    restart_gateway(lab)
    await_routes(routed, '"use_hash_policy": true')
    assert await versions(routed, "x-user-id", some) == before

    keep(routed, Split("canary", 25, cohort=Cohort(header="x-user-id"), salt="r43"))
    expected = [VERSION[in_canary(user, "r43", 25)] for user in some]
    wait_until(lambda: [answer_of(routed, {"x-user-id": each}) for each in some[:20]] == expected[:20], "the new salt")
    after = await versions(routed, "x-user-id", some)
    assert after == expected
    both = sum(one == other == "v2" for one, other in zip(before, after, strict=True))
    assert within_binomial_bounds(both, len(some), 0.25 * 0.25)


async def test_a_cohort_is_kept_in_a_delegate_too_by_the_names_that_istiod_gives_its_routes_R14(routed: Routed) -> None:
    host = f"root.{Service(routed.name).host}"
    kind = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    match = [{"name": "v1", "uri": {"prefix": "/predict"}}, {"uri": {"prefix": "/other"}}]
    http = [{"name": "all", "match": match, "delegate": {"name": f"arms-{routed.name}"}}]
    root = {
        **kind,
        "metadata": {"name": f"root-{routed.name}", "namespace": routed.namespace},
        "spec": {"hosts": [host], "gateways": ["ingress"], "http": http},
    }
    arms = {
        **kind,
        "metadata": {"name": f"arms-{routed.name}", "namespace": routed.namespace},
        "spec": {"http": [{"name": "arms", "route": [{"destination": {"host": routed.host, "subset": "stable"}}]}]},
    }
    routed.lab.apply([root, arms])
    delegate = Routed(routed.lab, f"arms-{routed.name}", routed.namespace, routed.host)
    split = Split("canary", 25, cohort=Cohort(header="x-user-id"), salt="r42")
    delegate.hash_by(split, "arms", [root])
    delegate.split(split)
    expected = [VERSION[in_canary(user, "r42", 25)] for user in USERS[:500]]

    def kept() -> bool:
        users = [{"x-user-id": user} for user in USERS[:500]]
        return [each.version for each in asyncio.run(ask(routed.lab.gateway_url, host, users))] == expected

    await asyncio.to_thread(wait_until, kept, "the cohort behind the root")
    delegate.split(Split("canary", 0), "r/2-rollback")
    assert delegate.read()["spec"]["http"][0]["route"] == [{**arms["spec"]["http"][0]["route"][0], "weight": 100}]
    routed.lab.kubectl("delete", "envoyfilter", f"serinus-arms-{routed.name}", f"--namespace={routed.namespace}")


async def test_nobody_chooses_an_arm_by_sending_our_header_and_no_service_sees_it(routed: Routed) -> None:
    split = Split("canary", 25, cohort=Cohort(header="x-user-id"), salt="r42")
    keep(routed, split)
    dump = web.get(f"{routed.lab.mesh.envoy_admin_url}/config_dump?resource=dynamic_route_configs")
    assert dump is not None
    configs = [config["route_config"] for config in dump.json()["configs"]]
    (hidden,) = {header for config in configs for header in config.get("request_headers_to_remove", ())}
    users, other = USERS[:500], next(user for user in USERS if in_canary(user, "r42", 25))
    forged = await send(routed, [{"x-user-id": user, hidden: f"r42/{other}"} for user in users])
    assert [answer.version for answer in forged] == [VERSION[in_canary(user, "r42", 25)] for user in users]


async def test_only_the_audience_sees_the_canary_R16(routed: Routed) -> None:
    audience = (
        AudienceMatch.model_validate(
            {"header": "x-internal", "exact": "true", "also": [{"header": "x-region", "prefix": "eu-"}]}
        ),
        AudienceMatch.model_validate({"header": "x-team", "regex": "(search|ads)"}),
    )
    routed.split(Split("canary", 50, audience))
    await_routes(routed, "serinus/audience/primary")
    inside = [{"x-internal": "true", "x-region": "eu-1"}, {"x-team": "search"}, {"x-team": "ads"}]
    outside = [{}, {"x-internal": "true"}, {"x-internal": "no", "x-region": "eu-1"}, {"x-team": "searching"}]
    for headers in inside:
        answers = await send(routed, [headers] * 400)
        assert within_binomial_bounds([answer.version for answer in answers].count("v2"), 400, 0.5), headers
    for headers in outside:
        assert {answer.version for answer in await send(routed, [headers] * 100)} == {"v1"}, headers

    routed.split(Split("canary", 0))
    assert all("name" in route and "serinus" not in route["name"] for route in routed.read()["spec"]["http"])


async def test_a_set_cookie_keeps_users_without_an_envoy_filter_R17(routed: Routed) -> None:
    split = Split("canary", 10, cohort=Cohort(cookie="arm", by="setCookie"), salt="r42")
    routed.split(split)
    await_routes(routed, "serinus/kept/primary")
    first = await send(routed, [{}] * 3000)
    assert within_binomial_bounds([answer.version for answer in first].count("v2"), len(first), 0.1)
    assert all(answer.cookie.startswith("arm=") for answer in first)

    users = [{"cookie": f"theme=dark; {answer.cookie}"} for answer in first]
    again = await send(routed, users)
    assert [answer.version for answer in again] == [answer.version for answer in first]
    assert {answer.cookie for answer in again} == {""}

    routed.split(Split("canary", 50, cohort=split.cohort, salt="r42"))
    await_routes(routed, "serinus/canary-50/primary")
    risen = [answer.version for answer in await send(routed, users)]
    assert within_binomial_bounds(risen.count("v2"), len(risen), 0.5)
    assert all(now == "v2" for now, then in zip(risen, first, strict=True) if then.version == "v2")


def restart_gateway(lab: Lab) -> None:
    """The gateway ends and another one begins, with the same configuration and nothing else."""
    (old,) = [process for process in lab._processes._started if process.name == "envoy" and process.exit_code is None]
    old.stop()
    url = lab.mesh.envoy_admin_url
    command = [envoy(), "--config-path", lab.directory / "envoy.yaml", "--concurrency", "1", "--disable-hot-restart"]
    lab._processes.start(lambda: Launch("envoy", command, lambda: web.answers_ok(f"{url}/ready"), address=url))

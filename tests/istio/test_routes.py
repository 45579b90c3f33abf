"""Which routes carry the arms: found wherever Istio would find them, and what is ambiguous is refused by name."""

from typing import Any

import pytest

from serinus.api.traffic import AudienceMatch, Cohort
from serinus.istio import LayoutError, Split, arm_routes, canonical_host, copies_for
from tests.istio.objects import FQDN, destination, find, primary, virtual_service

SPLIT = primary(destination("stable", 90), destination("canary", 10))
ALONE = [destination("stable")]
MATCHING = [{"sniHosts": ["predictor.example"]}]


@pytest.mark.parametrize("host", ["predictor", FQDN])
def test_a_short_host_and_its_full_form_are_the_same(host: str) -> None:
    service = virtual_service(primary(destination("stable", 100, host=host), destination("canary", 0, host=host)))
    assert find(service)[0].weights == (0,)
    assert canonical_host(host, "ml") == FQDN


def test_a_short_host_is_one_of_the_virtual_services_own_namespace() -> None:
    service = virtual_service(SPLIT, namespace="elsewhere")
    with pytest.raises(LayoutError, match=f"no route to {FQDN}"):
        find(service)


def test_a_port_does_not_make_another_host() -> None:
    arms = [destination("stable", 90), destination("canary", 10)]
    for arm in arms:
        arm["destination"]["port"] = {"number": 8080}
    assert find(virtual_service(primary(*arms)))[0].weights == (10,)


def test_every_route_that_sends_to_the_host_is_found_or_only_those_that_are_named() -> None:
    elsewhere = {"name": "assets", "route": [destination("stable", host="assets")]}
    unnamed = {"route": [destination("stable", 80), destination("canary", 20)]}
    service = virtual_service(SPLIT, elsewhere, unnamed)
    service["spec"] |= {"tls": [{"match": MATCHING, "route": ALONE}], "tcp": [{"route": ALONE}]}
    labels = ["primary", "http[2]", "tls[0]", "tcp[0]"]
    assert [route.label for route in find(service)] == labels
    assert [(route.protocol, route.weights) for route in find(service, only=("http[2]", "tcp[0]"))] == [
        ("http", (20,)),
        ("tcp", (0,)),
    ]


def test_a_route_of_stable_alone_can_carry_the_canary() -> None:
    (route,) = find(virtual_service(primary(destination("stable"))))
    assert (route.canary, route.weights) == (None, (0,))


@pytest.mark.parametrize("name", ["serinus/", "serinus/primary", "serinus/canary-x/primary", "serinus/else/primary"])
def test_a_route_whose_name_only_looks_like_one_of_ours_is_its_owners(name: str) -> None:
    looks_like_ours = {**SPLIT, "name": name}
    assert [route.label for route in find(virtual_service(looks_like_ours))] == [name]


def test_the_weights_may_lie_in_a_delegate() -> None:
    root = virtual_service({"name": "all", "delegate": {"name": "predictor-routes"}})
    delegate = virtual_service(SPLIT, name="predictor-routes")
    in_root, in_delegate = arm_routes(root, delegate, host=FQDN, stable="stable", canary="canary", only=("primary",))
    assert in_root == ()
    assert [route.label for route in in_delegate] == ["primary"]


def test_a_root_and_its_delegate_may_call_their_routes_the_same() -> None:
    unnamed = {"route": [destination("stable", 90), destination("canary", 10)]}
    root = virtual_service({"delegate": {"name": "arms"}})
    for only in ((), ("http[0]",)):
        in_root, in_delegate = arm_routes(
            root, virtual_service(unnamed, name="arms"), host=FQDN, stable="stable", canary="canary", only=only
        )
        assert (len(in_root), len(in_delegate)) == (0, 1)


@pytest.mark.parametrize(
    ("service", "only", "words"),
    [
        (virtual_service(SPLIT, SPLIT), ("primary",), "more than one route named 'primary'"),
        (virtual_service(SPLIT, SPLIT), (), "more than one route named 'primary'"),
        (virtual_service(SPLIT), ("main",), "no route named 'main'; it has: primary"),
        (virtual_service({"route": [destination("stable", 100, host="b")]}), (), "no route to predictor.ml.svc"),
        (virtual_service(), (), "no route to predictor.ml.svc"),
        (virtual_service({"name": "away", "redirect": {"uri": "/"}}), ("away",), "route away has no destination"),
        (virtual_service(primary(destination("canary"))), (), "route primary has no destination for subset 'stable'"),
        (virtual_service(primary({"destination": {"host": "predictor"}})), (), "no destination for subset 'stable'"),
        (
            virtual_service(primary(destination("stable", 50), destination("canary", 25), destination("canary", 25))),
            (),
            "route primary has more than one destination for subset 'canary'",
        ),
        (
            virtual_service(primary(destination("stable", 50), destination("canary", 25), destination("v9", 25))),
            (),
            "route primary has 1 more destination(s) beside",
        ),
        (
            virtual_service({"route": [destination("stable", 0), destination("canary", 0)]}),
            (),
            "route http[0] has weights 0 and 0; they must add up to 100",
        ),
        (virtual_service(primary(destination("stable", 3), destination("canary", 1))), (), "weights 3 and 1"),
    ],
)
def test_what_cannot_carry_the_canary_is_refused_by_name(
    service: dict[str, Any], only: tuple[str, ...], words: str
) -> None:
    with pytest.raises(LayoutError, match="VirtualService ml/predictor") as refusal:
        find(service, only)
    assert words in str(refusal.value)


@pytest.mark.parametrize("protocol", ["tls", "tcp"])
@pytest.mark.parametrize(
    "asked",
    [
        {"audience": (AudienceMatch(header="x-internal", exact="true"),)},
        {"cohort": Cohort(header="x-user-id")},
    ],
)
def test_connections_have_no_headers_to_choose_by(protocol: str, asked: dict[str, Any]) -> None:
    service = virtual_service()
    service["spec"] = {protocol: [{"route": ALONE}]}
    with pytest.raises(LayoutError, match=rf"route {protocol}\[0\] carries connections"):
        copies_for(service, find(service), Split("canary", 5, **asked))


def test_a_match_that_contradicts_the_audience_is_refused_by_name() -> None:
    service = virtual_service({**SPLIT, "match": [{"headers": {"x-internal": {"exact": "false"}}}]})
    audience = (AudienceMatch(header="x-internal", exact="true"),)
    with pytest.raises(LayoutError, match="route primary already says something else of header 'x-internal'"):
        copies_for(service, find(service), Split("canary", 5, audience))

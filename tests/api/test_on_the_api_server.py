"""The API server's word on the CRDs: what it accepts, completes and refuses, and that the models say the same."""

import functools
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError

from lab.waiting import wait_until
from serinus.api import explain
from serinus.api.crds import GROUP, VERSION, manifests
from tests.api.manifests import (
    BAD,
    FULL_DEPLOYMENT,
    FULL_POLICY,
    GOOD,
    MODELS,
    Bad,
    Manifest,
    canary_deployment,
    canary_policy,
    errors,
    full_status,
)

pytestmark = pytest.mark.api_server

PLURALS = {"CanaryDeployment": "canarydeployments", "CanaryPolicy": "canarypolicies"}


class Server:
    """The API server with our CRDs, for manifests of namespace default."""

    def __init__(self, kubeconfig: str) -> None:
        self.connection = config.new_client_from_config(kubeconfig)
        self.objects = client.CustomObjectsApi(self.connection)

    def create(self, manifest: Manifest, *, keep: bool = False) -> Manifest:
        """The object as the server would store it. Unknown fields are refused, as kubectl asks for."""
        return self.objects.create_namespaced_custom_object(
            GROUP,
            VERSION,
            "default",
            PLURALS[manifest["kind"]],
            manifest,
            field_validation="Strict",
            **({} if keep else {"dry_run": "All"}),
        )

    def refusal(self, manifest: Manifest) -> list[tuple[str, str]]:
        """Field and message of all that the server has against the manifest; empty if it would be accepted."""
        try:
            self.create(manifest)
        except ApiException as error:
            status = json.loads(error.body)
            causes = status.get("details", {}).get("causes")
            if causes:
                return [(cause.get("field", ""), cause["message"]) for cause in causes]
            assert "strict decoding error" in status["message"], status
            return [(status["message"].split('"')[-2], status["message"])]
        return []


def models_refusal(manifest: Manifest) -> list[tuple[str, str]]:
    try:
        MODELS[manifest["kind"]].model_validate(manifest)
    except ValidationError as error:
        return [(problem.field, problem.message) for problem in explain(error)]
    return []


@pytest.fixture(scope="module")
def server(api_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The session's API server with the CRDs as the models are now, known to kubectl."""
    crds = tmp_path_factory.mktemp("crds")
    for name, text in manifests().items():
        (crds / name).write_text(text)
    api_server.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(crds))
    known = functools.partial(api_server.kubectl, "api-resources", f"--api-group={GROUP}")
    wait_until(lambda: all(short in known() for short in ("cdep", "cpol")), "kubectl to know the CRDs")
    server = Server(str(api_server.kubeconfig))
    yield server
    server.connection.close()


@pytest.mark.parametrize("name", ["canarydeployments", "canarypolicies"])
def test_the_crds_are_accepted_rules_and_all(server: Server, name: str) -> None:
    crd = client.ApiextensionsV1Api(server.connection).read_custom_resource_definition(f"{name}.{GROUP}")
    conditions = {condition.type: condition.status for condition in crd.status.conditions}
    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert "NonStructuralSchema" not in conditions
    generated = yaml.safe_load(manifests()[f"{GROUP}_{name}.yaml"])
    stored = server.connection.sanitize_for_serialization(crd)["spec"]
    schema = stored["versions"][0]["schema"]["openAPIV3Schema"]
    assert (
        schema["properties"]["spec"]
        == generated["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    )


@pytest.mark.parametrize("name", GOOD)
def test_good_manifests_are_accepted(server: Server, name: str) -> None:
    assert server.refusal(GOOD[name]) == []
    assert models_refusal(GOOD[name]) == []


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.why)
def test_bad_manifests_are_refused_with_the_field_and_the_rule(server: Server, bad: Bad) -> None:
    refusal = server.refusal(bad.manifest)
    assert any(field == bad.field and bad.rule in message for field, message in refusal), refusal


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.why)
def test_the_models_refuse_what_the_server_refuses_and_blame_the_same_field(server: Server, bad: Bad) -> None:
    refusal = models_refusal(bad.manifest)
    assert any(field.startswith(bad.field) for field, _ in refusal), refusal


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.why)
def test_no_rule_stumbles_over_a_bad_manifest(server: Server, bad: Bad) -> None:
    assert not [message for _, message in server.refusal(bad.manifest) if "evaluating rule" in message]


def _fields(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all that a spec contains."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from _fields(inner, (*path, key))


WRONG = (None, "", "x", "5", "1s", 0, 1, -1, 0.5, True, [], {})


@pytest.mark.parametrize("manifest", [FULL_DEPLOYMENT, FULL_POLICY], ids=lambda manifest: manifest["kind"])
def test_server_and_models_agree_on_every_field_whatever_it_is_given(server: Server, manifest: Manifest) -> None:
    disagreements = []
    for *parents, last in _fields(manifest["spec"]):
        for value in WRONG:
            changed = deepcopy(manifest)
            place = changed["spec"]
            for parent in parents:
                place = place[parent]
            place[last] = value
            theirs, ours = server.refusal(changed), models_refusal(changed)
            if bool(theirs) != bool(ours):
                disagreements.append(((*parents, last), value, theirs, ours))
    assert disagreements == []


def test_defaults_are_filled_in_as_promised(server: Server) -> None:
    spec = server.create(canary_deployment(policy={"metrics": [errors()]}))["spec"]
    assert spec["ladder"] == [  # R03
        {"weight": 10, "window": "15m"},
        {"weight": 25, "window": "15m"},
        {"weight": 50, "window": "15m"},
        {"weight": 75, "window": "15m"},
        {"weight": 100, "window": "0s"},
    ]
    assert (spec["interval"], spec["reportEvery"]) == ("15s", "15m")  # R07
    assert (spec["traffic"]["onDrift"], spec["whenUndecided"], spec["paused"]) == ("repair", "hold", False)
    assert "deadline" not in spec
    policy = spec["policy"]
    assert (policy["falseRollback"], policy["falsePromotion"], policy["promoteOn"]) == (0.01, 0.05, "proven")
    assert (policy["minRequests"], policy["spike"]) == (100, {"errorRate": 0.1})  # R10, R08


@pytest.mark.parametrize("manifest", [canary_deployment(policy={"metrics": [errors()]}), canary_policy(errors())])
def test_the_models_have_the_servers_defaults(server: Server, manifest: Manifest) -> None:
    model = MODELS[manifest["kind"]]
    completed = server.create(manifest)
    assert model.model_validate(manifest).spec == model.model_validate(completed).spec


@pytest.mark.parametrize("manifest", [FULL_DEPLOYMENT, FULL_POLICY], ids=lambda manifest: manifest["kind"])
def test_what_a_model_writes_the_server_reads_as_the_same(server: Server, manifest: Manifest) -> None:
    model = MODELS[manifest["kind"]]
    spec = model.model_validate(manifest).spec
    written = {**manifest, "spec": spec.model_dump(mode="json", exclude_none=True)}
    assert model.model_validate(server.create(written)).spec == spec


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("canarydeployments.spec.ladder.weight", "Percent"),
        ("canarydeployments.spec.ladder.window", "15m"),
        ("canarydeployments.spec.interval", "15s"),
        ("canarypolicies.spec.metrics.tolerance.absolute", "percentage points"),
        ("canarydeployments.status.observedShare", "Percent"),
    ],
)
def test_kubectl_explain_shows_the_unit(server: Server, api_server: Any, field: str, unit: str) -> None:
    assert unit in api_server.kubectl("explain", field)


@pytest.fixture
def stored(server: Server) -> Iterator[Callable[[Manifest], Manifest]]:
    """A CanaryDeployment `columns`: called with a status, writes it and returns the object as stored."""
    manifest = canary_deployment()
    manifest["metadata"]["name"] = "columns"
    place = (GROUP, VERSION, "default", "canarydeployments", "columns")
    server.create(manifest, keep=True)
    yield lambda status: server.objects.patch_namespaced_custom_object_status(*place, {"status": status})
    server.objects.delete_namespaced_custom_object(*place)


def test_the_server_keeps_every_field_of_a_status(stored: Callable[[Manifest], Manifest]) -> None:
    written = full_status().model_dump(mode="json", exclude_none=True)
    assert stored(written)["status"] == written


STATUS = {
    "phase": "Progressing",
    "weight": 25,
    "verdict": {
        "verdict": "hold",
        "reason": "WaitingForRequests",
        "message": "37 of 100 requests",
        "time": "2026-01-01T14:10:00Z",
    },
    "printed": {"step": "3/5", "next": "14:25Z", "share": "24.8 %", "stable": "v1", "canary": "v2"},
}


def test_kubectl_get_shows_the_state_at_a_glance(stored: Callable[[Manifest], Manifest], api_server: Any) -> None:
    """R31."""
    stored(STATUS)
    header, row = api_server.kubectl("get", "cdep", "columns", "-n", "default").splitlines()
    assert header.split() == ["NAME", "PHASE", "STEP", "WEIGHT", "VERDICT", "NEXT", "AGE"]
    assert row.split()[:-1] == ["columns", "Progressing", "3/5", "25", "hold", "14:25Z"]


def test_kubectl_get_wide_adds_why_and_who(stored: Callable[[Manifest], Manifest], api_server: Any) -> None:
    """R31."""
    stored(STATUS)
    header, row = api_server.kubectl("get", "cdep", "columns", "-n", "default", "-o", "wide").splitlines()
    assert header.split()[-4:] == ["REASON", "STABLE", "CANARY", "SHARE"]
    assert row.endswith("37 of 100 requests   v1       v2       24.8 %")

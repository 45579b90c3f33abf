"""`serinus doctor` as people see it: what cluster and Prometheus say is given, what follows is the program's."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from serinus.cli import doctor
from serinus.cli.cluster import Cluster, ClusterError, NotFound
from serinus.cli.doctor_screen import screen
from serinus.cli.look import PLAIN, Look
from serinus.cli.main import app
from serinus.doctor import WORKED_WITH
from serinus.doctor.finding import Finding, error, fine, warning
from tests.doctor.facts import manifest, objects

NARROW = Look(width=80, colour=False, signs=True)
ISTIO, CORE, APPS = "/apis/networking.istio.io/v1", "/api/v1", "/apis/apps/v1"


class Played(Cluster):
    """An API server whose answers are given beforehand: by path, and the verbs that the operator is refused."""

    def __init__(self) -> None:
        self.access = type("Access", (), {"namespace": "ml"})()
        self.answers: dict[str, Any] = served() | stored()
        self.refused: set[str] = set()
        self.forbidden = False

    def get(self, path: str, **query: str) -> Mapping[str, Any]:
        found = self.answers.get(path)
        if found is None:
            raise NotFound(path) if path.startswith((ISTIO, CORE, APPS)) else ClusterError(f"says no: {path}")
        return dict(found)

    def create(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.forbidden:
            raise ClusterError("the API server says no")
        assert path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        assert body["spec"]["user"] == "system:serviceaccount:serinus-system:serinus"
        asked = body["spec"]["resourceAttributes"]
        assert asked["namespace"] == "ml"
        return {"status": {"allowed": f"{asked['verb']} {asked['resource']}" not in self.refused}}


def served() -> dict[str, Any]:
    versions = [{"versions": [{"groupVersion": group}]} for group in WORKED_WITH]
    lists = {f"/apis/{group}": {"resources": [{"name": each} for each in all_]} for group, all_ in WORKED_WITH.items()}
    return {"/version": {"gitVersion": "v1.31.2"}, "/apis": {"groups": versions}, **lists}


def stored() -> dict[str, Any]:
    given = objects()
    places = {"virtualservices": ISTIO, "destinationrules": ISTIO, "services": CORE, "deployments": APPS}
    one = {
        f"{place}/namespaces/ml/{kind}/{each['metadata']['name']}": each
        for kind, place in places.items()
        for each in given[kind]
    }
    empty: dict[str, Any] = {"items": [], "metadata": {}}
    canaries = "/apis/serinus.io/v1alpha1/canarydeployments"
    return {**one, f"{CORE}/namespaces/ml/pods": {"items": given["pods"]}, canaries: empty}


@contextmanager
def prometheus(*rows: tuple[Mapping[str, str], float], heard: list[str] | None = None) -> Iterator[str]:
    """The address of what answers every query with these rows; `heard`: the credentials that came."""
    result = [{"metric": labels, "value": [0, str(value)]} for labels, value in rows]
    body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if heard is not None:
                heard.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


STABLE = {"destination_service": "predictor.ml.svc.cluster.local", "destination_version": "v1"}
WELL = ({**STABLE, "response_code": "200"}, 60_000.0)
SCRAPED = ({**STABLE, "serinus_what": "scraped"}, 2e9)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()
    monkeypatch.setattr(doctor, "Cluster", lambda access: played)
    monkeypatch.setattr(doctor, "find_access", lambda context: None)
    return played


def run(given: Any, *options: str) -> Result:
    text = given if isinstance(given, str) else yaml.safe_dump(given)
    return CliRunner(env={"SERINUS_PROMETHEUS": ""}).invoke(app, ["doctor", "-f", "-", *options], input=text)


def test_where_nothing_stands_in_the_way_it_says_so_and_the_exit_code_is_0(cluster: Played) -> None:
    with prometheus(WELL, SCRAPED) as address:
        told = run(manifest(), "--prometheus", address)
    assert told.exit_code == 0, told.output
    assert (
        told.output
        == """\
ml/predictor: 0 errors, 0 warnings, 13 fine
fine  resources  serinus.io/v1alpha1 is served
fine  resources  networking.istio.io/v1 is served
fine  rights     serinus-system/serinus may do all it needs in ml
fine  policy     a good canary is rolled back with probability at most 0.01, a bad one promoted with at most 0.05 \
per step
fine  routes     predictor is split on: ml/predictor primary
fine  subsets    stable serves, canary is the canary's
fine  endpoints  the stable has 2 ready endpoints (version=v1)
fine  endpoints  the canary has 2 ready endpoints (version=v2)
fine  workloads  Deployment predictor-v2 can carry the first step
fine  owners     nobody else is known to write VirtualService ml/predictor, DestinationRule ml/predictor
fine  evidence   error-guard: the stable's are there
fine  evidence   error-rate: the stable's are there
fine  traffic    100 requests a second bring minRequests (100) in every window
"""
    )


def test_an_error_is_exit_code_1_and_a_warning_is_not(cluster: Played) -> None:
    assert run(manifest()).exit_code == 0  # Prometheus was not asked
    cluster.refused = {"patch virtualservices"}
    told = run(manifest(), "-o", "json")
    assert told.exit_code == 1
    errors = [each for each in map(json.loads, told.output.splitlines()) if each["level"] == "error"]
    assert errors == [
        {
            "level": "error",
            "check": "rights",
            "what": "serinus-system/serinus may not, in ml: patch virtualservices.networking.istio.io",
            "why": "The rollout would stop where the operator needs it.",
            "do": "apply deploy/base/rbac.yaml, or name the right --operator",
        }
    ]


def test_yaml_is_one_document_a_finding(cluster: Played) -> None:
    documents = list(yaml.safe_load_all(run(manifest(), "-o", "yaml").output))
    assert documents[0] == {"level": "fine", "check": "resources", "what": "serinus.io/v1alpha1 is served"}


def test_a_prometheus_that_is_not_there_is_an_error(cluster: Played) -> None:
    with prometheus() as address:
        pass
    told = run(manifest(), "--prometheus", address)
    assert told.exit_code == 1
    assert f"Prometheus cannot be asked: {address}: no answer" in told.output


def test_a_prometheus_without_the_stables_series_is_an_error(cluster: Played) -> None:
    with prometheus() as address:
        told = run(manifest(), "--prometheus", address)
    assert told.exit_code == 1
    assert "error-rate: no series in the last 10m: istio_requests_total{" in told.output


OWN = {"events": "bought_total{ {{arm}} }", "total": "visits_total{ {{arm}} }"}


def test_a_query_of_ones_own_is_asked_of_both_arms(cluster: Played) -> None:
    own = {"name": "sales", "kind": "proportion", "query": OWN, "tolerance": {"absolute": 0.1}}
    both = [
        ({"serinus_of": f"stable {name}", "serinus_what": what}, value)
        for name, value in (("total", 100.0), ("events", 9.0))
        for what, value in (("", value), ("scraped", 2e9))
    ]
    with prometheus(WELL, SCRAPED, *both) as address:
        told = run(manifest(policy={"metrics": [own]}), "--prometheus", address)
    assert "sales: the query has no series of the canary" in told.output


def test_the_manifests_secret_is_what_prometheus_is_asked_with(cluster: Played) -> None:
    cluster.answers[f"{CORE}/namespaces/ml/secrets/prom"] = {"data": {"token": "b3BlbiBzZXNhbWU="}}
    heard: list[str] = []
    with prometheus(WELL, SCRAPED, heard=heard) as address:
        given = manifest(prometheus={"address": address, "secretRef": {"name": "prom"}})
        told = run(given)
    assert told.exit_code == 0, told.output
    assert set(heard) == {"Bearer open sesame"}
    assert "sesame" not in told.output


def test_credentials_in_a_directory_come_first_and_an_unknown_one_is_named(cluster: Played, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mellon")
    heard: list[str] = []
    with prometheus(WELL, SCRAPED, heard=heard) as address:
        run(manifest(), "--prometheus", address, "--prometheus-credentials", str(tmp_path))
    assert set(heard) == {"Bearer mellon"}
    (tmp_path / "tocken").write_text("friend")
    told = run(manifest(), "--prometheus", "http://127.0.0.1:1", "--prometheus-credentials", str(tmp_path))
    assert told.exit_code == 2
    assert "unknown key tocken" in told.output
    assert "friend" not in told.output


def test_a_query_that_cannot_be_read_is_an_error_that_names_its_place(cluster: Played) -> None:
    own = {"name": "sales", "kind": "proportion", "query": OWN | {"total": "("}, "tolerance": {"absolute": 0.1}}
    told = run(manifest(policy={"metrics": [own]}), "--prometheus", "http://127.0.0.1:1")
    assert told.exit_code == 1
    assert "metrics[0].query.total:" in told.output


def test_arms_that_no_label_tells_apart_are_an_error(cluster: Played) -> None:
    rule = cluster.answers[f"{ISTIO}/namespaces/ml/destinationrules/predictor"]
    rule["spec"]["subsets"] = [{"name": "stable", "labels": {"app": "a"}}, {"name": "canary", "labels": {"app": "b"}}]
    told = run(manifest(stable={"subset": "stable"}, canary={"subset": "canary"}))
    assert told.exit_code == 1
    assert "spec.stable.metricLabels: required" in told.output


def test_who_may_not_ask_for_rights_is_warned_and_the_rest_goes_on(cluster: Played) -> None:
    cluster.forbidden = True
    told = run(manifest())
    assert told.exit_code == 0
    assert "you may not ask what serinus-system/serinus may do" in told.output


def test_a_delegate_is_read_too(cluster: Played) -> None:
    root = {"metadata": {"namespace": "ml", "name": "root", "uid": "root", "resourceVersion": "1"}}
    root["spec"] = {"hosts": ["predictor"], "http": [{"delegate": {"name": "predictor"}}]}
    cluster.answers[f"{ISTIO}/namespaces/ml/virtualservices/root"] = root
    traffic = {**manifest()["spec"]["traffic"], "virtualServices": [{"name": "root"}]}
    assert "predictor is split on: ml/predictor primary" in run(manifest(traffic=traffic)).output


def test_a_cluster_without_istio_is_an_error_and_not_a_failure(cluster: Played) -> None:
    cluster.answers["/apis"] = {"groups": [{"versions": [{"groupVersion": "serinus.io/v1alpha1"}]}]}
    told = run(manifest())
    assert told.exit_code == 1
    assert "networking.istio.io/v1 is not served" in told.output


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a: [", "standard input line 1, column 5: not a YAML document"),
        ("[]", "standard input: is not a CanaryDeployment manifest"),
        (manifest(ladder=[]), "standard input: spec.ladder: "),
        (
            manifest(canary={"subset": "canary", "labels": {"version": "v2", "a b": "c"}}),
            "spec.canary.labels: 'a b' is not",
        ),
    ],
    ids=["no YAML", "no manifest", "a broken rule", "no sense"],
)
def test_a_file_that_cannot_be_used_is_one_line_and_exit_code_2(cluster: Played, given: Any, told: str) -> None:
    found = run(given)
    assert found.exit_code == 2
    assert told in found.output
    assert len(found.output.splitlines()) == 1


def test_a_file_that_is_not_there_is_exit_code_2(cluster: Played, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["doctor", "-f", str(tmp_path / "none.yaml")]).exit_code == 2


def test_who_may_not_read_what_the_manifest_names_is_told_in_one_line_and_exit_code_2(
    cluster: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(path: str, **query: str) -> Mapping[str, Any]:
        if path.endswith("/services/predictor"):
            raise ClusterError("the API server says no: services is forbidden")
        return Played.get(cluster, path, **query)

    monkeypatch.setattr(cluster, "get", get)
    found = run(manifest())
    assert (found.exit_code, found.output) == (2, "Error: the API server says no: services is forbidden\n")


def test_two_namespaces_are_one_too_many(cluster: Played) -> None:
    found = run(manifest(), "-n", "other")
    assert found.exit_code == 2
    assert "the manifest is of namespace ml, and --namespace says other" in found.output


FINDINGS = [
    fine("routes", "predictor is split on: ml/predictor primary"),
    warning("workloads", "spec.workloads is absent", why="Restarts are not seen.", do="name both workloads"),
    error(
        "endpoints",
        "the canary has no ready endpoint of predictor with version=v2",
        why="The warm-up waits for the canary's; without the stable's nothing could ever be rolled back to.",
        do="deploy it and wait until its pods are ready, or correct spec.canary.labels",
    ),
]


def test_at_80_columns_the_worst_comes_first_with_why_and_what_to_do() -> None:
    assert (
        "\n".join(screen("ml/predictor", FINDINGS, NARROW))
        == """\
ml/predictor: 1 error, 1 warning, 1 fine
error    endpoints  the canary has no ready endpoint of predictor with
                      version=v2
                    why: The warm-up waits for the canary's; without the
                      stable's nothing could ever be rolled back to.
                    do: deploy it and wait until its pods are ready, or correct
                      spec.canary.labels
warning  workloads  spec.workloads is absent
                    why: Restarts are not seen.
                    do: name both workloads
fine     routes     predictor is split on: ml/predictor primary"""
    )


def test_what_could_steer_a_terminal_is_not_printed() -> None:
    (_, line) = screen("t", [Finding("fine", "routes", "\x1b[31mred")], PLAIN)
    assert "\x1b" not in line


def test_the_documentation_shows_what_the_program_does() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert "\n".join(screen("ml/predictor", FINDINGS, NARROW)) in documentation

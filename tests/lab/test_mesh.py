"""In the lab a weight at the API server decides real requests, and Prometheus counts them as in Istio."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest

from lab.errors import LabError
from lab.stack import Lab, promql
from lab.stack.service import Service
from lab.stack.workload import Workload
from lab.waiting import wait_until

pytestmark = pytest.mark.mesh


@pytest.fixture
def service(lab: Lab, request: pytest.FixtureRequest) -> Service:
    """A service of the test's own."""
    return lab.add_service(request.node.name.removeprefix("test_").replace("_", "-")[:40].rstrip("-"))


@pytest.fixture
def versions(lab: Lab, service: Service) -> Iterator[dict[str, Workload]]:
    """v1 and v2 of the service, running."""
    workloads = {version: lab.run_workload(service.name, version) for version in ("v1", "v2")}
    yield workloads
    for workload in workloads.values():
        if workload.process.exit_code is None:
            workload.stop()


def answer(lab: Lab, service: Service) -> str:
    """Send one request through the gateway: the version that answered, or the status of an error."""
    request = urllib.request.Request(
        f"{lab.gateway_url}/predict",
        data=json.dumps({"text": "what a great day"}).encode(),
        headers={"host": service.host, "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(json.load(response)["version"])
    except urllib.error.HTTPError as error:
        return str(error.code)


def set_weights(lab: Lab, service: Service, stable: int, canary: int) -> None:
    patch = [
        {"op": "replace", "path": f"/spec/http/0/route/{position}/weight", "value": weight}
        for position, weight in enumerate((stable, canary))
    ]
    lab.kubectl(
        "patch", "virtualservice", service.name, "--namespace=demo", "--type=json", f"--patch={json.dumps(patch)}"
    )


def counted(lab: Lab, service: Service, **labels: str) -> float:
    """What Prometheus says of the service's requests with these labels."""
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    query = f'sum(istio_requests_total{{reporter="source",destination_service="{service.mesh_host}",{matchers}}})'
    result = promql.ask(lab.prometheus_url, query)
    assert result is not None
    return float(result[0]["value"][1]) if result else 0.0


@pytest.mark.usefixtures("versions")
def test_a_weight_at_the_api_server_decides_real_requests(lab: Lab, service: Service) -> None:
    assert {answer(lab, service) for _ in range(20)} == {"v1"}
    set_weights(lab, service, 0, 100)
    wait_until(lambda: answer(lab, service) == "v2", "the first answer of v2")
    assert {answer(lab, service) for _ in range(20)} == {"v2"}


@pytest.mark.usefixtures("versions")
def test_prometheus_counts_every_request_of_each_version(lab: Lab, service: Service) -> None:
    answers = Counter(answer(lab, service) for _ in range(20))
    set_weights(lab, service, 50, 50)
    while answers["v2"] < 20:
        answers[answer(lab, service)] += 1
    for version in ("v1", "v2"):
        labels = {"destination_version": version, "destination_workload": f"{service.name}-{version}"}
        wait_until(
            lambda labels=labels, n=answers[version]: counted(lab, service, response_code="200", **labels) == n,
            f"{answers[version]} requests of {labels} in Prometheus",
        )


def test_a_request_to_a_version_without_endpoints_is_counted_for_nobody(
    lab: Lab, service: Service, versions: dict[str, Workload]
) -> None:
    """As in Istio: workload "unknown", and the flags say that no healthy upstream was there."""
    versions["v2"].stop()
    set_weights(lab, service, 0, 100)
    wait_until(lambda: answer(lab, service) == "503", "the first request that fails")
    unattributed = {"destination_workload": "unknown", "destination_version": "unknown", "response_flags": "UH"}
    wait_until(lambda: counted(lab, service, response_code="503", **unattributed) == 1, "it in Prometheus")


@pytest.mark.usefixtures("versions")
def test_prometheus_also_has_what_each_version_says_of_itself(lab: Lab, service: Service) -> None:
    query = f'count(up{{job="workloads",service="{service.name}"}} == 1)'

    def scraped() -> bool:
        return [row["value"][1] for row in promql.ask(lab.prometheus_url, query) or ()] == ["2"]

    wait_until(scraped, "both versions' own metrics")


def test_a_workload_of_a_service_that_was_not_added_is_an_error(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"add_service\('nobody'\)"):
        lab.run_workload("nobody", "v1")


def test_two_labs_run_at_once_and_do_not_know_each_other(lab: Lab, service: Service) -> None:
    with Lab() as other:
        assert other.gateway_url != lab.gateway_url
        with pytest.raises(LabError, match="not found"):
            other.kubectl("get", "virtualservice", service.name, "--namespace=demo")
        twin = other.add_service(service.name)
        workload = other.run_workload(twin.name, "v1")
        assert answer(other, twin) == "v1"
        workload.stop()
    assert answer(lab, service) == "503", "the other lab's workload must not have been known here"

"""What a real API server says to the objects of deploy/, and to their pods under the profile `restricted`."""

from copy import deepcopy

import pytest
import yaml
from typer.testing import CliRunner

from lab.errors import LabError
from lab.stack import Lab
from serinus.cli.main import app
from tests.deploy.manifests import DEPLOY, Object, kustomized, pod_of

pytestmark = pytest.mark.api_server

NAMESPACE = "serinus-system"


@pytest.fixture(scope="module")
def installed(api_server: Lab) -> Lab:
    """With deploy/overlays/ha, in its namespace."""
    api_server.apply(DEPLOY / "overlays" / "ha")
    return api_server


def create(lab: Lab, pod: Object) -> str:
    """What is said to a pod in the operator's namespace."""
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "serinus", "namespace": NAMESPACE}, "spec": pod}
    return lab.kubectl("create", "--dry-run=server", "--filename=-", stdin=yaml.safe_dump(manifest))


def test_network_policy_and_disruption_budget_are_taken(installed: Lab) -> None:
    """kubectl has the API server refuse an object with a field that it does not know."""
    names = ("networkpolicies,poddisruptionbudgets", f"--namespace={NAMESPACE}", "--output=name")
    assert installed.kubectl("get", *names).split() == [
        "networkpolicy.networking.k8s.io/serinus",
        "poddisruptionbudget.policy/serinus",
    ]


@pytest.mark.parametrize("directory", ["base", "overlays/ha", "overlays/namespaced"])
def test_the_pod_is_admitted_under_the_restricted_profile(installed: Lab, directory: str) -> None:
    assert "created" in create(installed, pod_of(kustomized(directory)))


@pytest.mark.parametrize(
    ("field", "told"),
    [("runAsNonRoot", "runAsNonRoot != true"), ("seccompProfile", "seccompProfile")],
)
def test_the_namespace_refuses_pods_that_do_not_keep_to_it(installed: Lab, field: str, told: str) -> None:
    pod = deepcopy(pod_of(kustomized("base")))
    del pod["securityContext"][field]
    with pytest.raises(LabError, match=f'violates PodSecurity "restricted:latest": {told}'):
        create(installed, pod)


def test_the_crds_that_the_program_prints_are_those_that_are_installed(installed: Lab) -> None:
    """As docs/upgrade.md compares them."""
    printed = CliRunner().invoke(app, ["crds"]).output
    assert "kind: CustomResourceDefinition" in printed
    assert installed.kubectl("diff", "--filename=-", stdin=printed) == ""
    with pytest.raises(LabError):
        installed.kubectl("diff", "--filename=-", stdin=printed.replace("The arm that serves now.", "Another."))

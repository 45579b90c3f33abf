"""The lab's API server is a real one: RBAC, tokens, validation."""

import pytest

from lab.errors import LabError
from lab.stack import Lab

pytestmark = pytest.mark.api_server

ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [namespaces], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
"""


def test_a_service_account_may_do_what_rbac_lets_it_and_nothing_else(api_server: Lab) -> None:
    api_server.apply(ACCOUNT)
    kubeconfig = api_server.service_account_kubeconfig("default", "reader")
    assert "kube-system" in api_server.kubectl("get", "namespaces", f"--kubeconfig={kubeconfig}")
    with pytest.raises(LabError, match=r"system:serviceaccount:default:reader.* cannot list resource"):
        api_server.kubectl("get", "secrets", f"--kubeconfig={kubeconfig}")


def test_what_kubectl_complains_of_is_the_error(api_server: Lab) -> None:
    with pytest.raises(LabError, match=r"kubectl get nonsense: .*doesn't have a resource type"):
        api_server.kubectl("get", "nonsense")


def test_objects_can_be_applied_as_values(api_server: Lab) -> None:
    api_server.apply(
        [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values"}, "data": {"key": "value"}}]
    )
    assert api_server.kubectl("get", "configmap", "values", "--output=jsonpath={.data.key}") == "value"


def test_a_lab_without_a_mesh_says_so_when_asked_for_it(api_server: Lab) -> None:
    with pytest.raises(LabError, match=r"start it with Lab\(mesh=True\)"):
        _ = api_server.gateway_url

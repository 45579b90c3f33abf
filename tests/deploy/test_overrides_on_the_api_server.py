"""Who may override, and what of an override the API server itself refuses, by what deploy/ ships (R27)."""

from collections.abc import Iterator

import pytest
import yaml

from lab.errors import LabError
from lab.stack import Lab
from lab.stack.workload import REPOSITORY
from lab.waiting import wait_until

pytestmark = pytest.mark.api_server

NAMESPACE = "overridden"
REASON = "the error budget allows it"
GRANT = """
apiVersion: v1
kind: Namespace
metadata: {name: overridden}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: on-call, namespace: overridden}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: serinus-override}
subjects:
- {kind: User, name: jo, apiGroup: rbac.authorization.k8s.io}
- {kind: User, name: kim, apiGroup: rbac.authorization.k8s.io}
"""


class Cluster:
    """The API server, as one user or another sees it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.number = 0

    def create(self, user: str, **spec: object) -> str:
        """What kubectl says of an override that `user` creates: its name, or why not."""
        self.number += 1
        given = {"target": "predictor", "rollout": "r1", "action": "hold", "reason": REASON, "requestedBy": user}
        manifest = {
            "apiVersion": "serinus.io/v1alpha1",
            "kind": "CanaryOverride",
            "metadata": {"name": f"override-{self.number}", "namespace": NAMESPACE},
            "spec": {name: value for name, value in (given | spec).items() if value is not None},
        }
        return self.kubectl(user, "create", "--filename=-", stdin=yaml.safe_dump(manifest))

    def kubectl(self, user: str, *arguments: str, stdin: str | None = None) -> str:
        try:
            return self.lab.kubectl(*arguments, f"--namespace={NAMESPACE}", f"--as={user}", stdin=stdin)
        except LabError as refusal:
            return str(refusal)


@pytest.fixture(scope="module")
def cluster(api_server: Lab) -> Iterator[Cluster]:
    api_server.apply(REPOSITORY / "deploy" / "base")
    api_server.apply(GRANT)
    cluster = Cluster(api_server)
    # A policy is enforced a moment after it was created.
    wait_until(lambda: "must be you" in cluster.create("jo", requestedBy="nobody"), "the admission policy to rule")
    yield cluster
    api_server.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_who_has_the_permission_may_override_R27(cluster: Cluster) -> None:
    assert "created" in cluster.create("jo")
    assert "created" in cluster.create("kim", action="promote", to=100)


def test_overriding_is_a_permission_of_its_own_R27(cluster: Cluster) -> None:
    for verb in ("canarydeployments", "canarypolicies"):
        cluster.lab.kubectl(
            "create", "role", f"edits-{verb}", "--verb=*", f"--resource={verb}.serinus.io", f"--namespace={NAMESPACE}"
        )
        cluster.lab.kubectl(
            "create", "rolebinding", f"edits-{verb}", f"--role=edits-{verb}", "--user=max", f"--namespace={NAMESPACE}"
        )
    assert "forbidden" in cluster.create("max")
    assert "forbidden" in cluster.create("passer-by")


def test_nobody_signs_with_another_name_R27(cluster: Cluster) -> None:
    assert "spec.requestedBy: must be you, jo" in cluster.create("jo", requestedBy="kim")
    assert "spec.requestedBy: must be you, jo" in cluster.create("jo", requestedBy="system:admin")


@pytest.mark.parametrize(
    "reason",
    ["", "   ", "x", "TODO", "n/a", "...", "because", "Because I said so", "reason goes here", "asdf asdf", "12 34"],
)
def test_a_reason_must_be_one_R27(cluster: Cluster, reason: str) -> None:
    assert "spec.reason" in cluster.create("jo", reason=reason)


@pytest.mark.parametrize("reason", ["false alarm, see INC-4711", "Fehlalarm beim Zahlungsdienst", "误报，流量来自压测"])
def test_a_few_words_in_any_language_are_a_reason(cluster: Cluster, reason: str) -> None:
    assert "created" in cluster.create("jo", reason=reason)


@pytest.mark.parametrize(
    ("field", "value"),
    [("action", "explode"), ("to", 50), ("to", 100), ("rollout", None), ("target", None), ("reason", None)],
)
def test_what_makes_no_sense_is_refused_by_the_field(cluster: Cluster, field: str, value: object) -> None:
    assert f"spec.{field}" in cluster.create("jo", **{field: value})


def test_an_override_is_immutable_R27(cluster: Cluster) -> None:
    cluster.create("jo")
    name = f"canaryoverride/override-{cluster.number}"
    changed = cluster.kubectl("admin", "patch", name, "--type=merge", '--patch={"spec":{"action":"rollback"}}')
    assert "forbidden" in changed
    cluster.lab.kubectl(
        "create", "rolebinding", "edits", "--clusterrole=cluster-admin", "--user=root", f"--namespace={NAMESPACE}"
    )
    changed = cluster.kubectl("root", "patch", name, "--type=merge", '--patch={"spec":{"reason":"some other reason"}}')
    assert "is immutable: create another override" in changed


def test_the_operator_may_answer_an_override_but_not_write_one(cluster: Cluster) -> None:
    operator = "system:serviceaccount:serinus-system:serinus"
    may = ("auth", "can-i", "patch", "canaryoverrides.serinus.io", "--subresource=status")
    assert cluster.kubectl(operator, *may).strip() == "yes"
    assert "forbidden" in cluster.create(operator)

"""A release that waits at its first step, and people who may overrule it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import yaml

from lab.stack import Lab
from tests.crash.cluster import Release
from tests.crash.conftest import Stage
from tests.crash.operators import Operator, await_true

LADDER = [{"weight": 50, "window": "1h"}, {"weight": 100, "window": "0s"}]
"""Nothing but an order ends the first step."""

GRANT = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: on-call, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: serinus-override}}
subjects:
- {{kind: User, name: jo, apiGroup: rbac.authorization.k8s.io}}
- {{kind: User, name: kim, apiGroup: rbac.authorization.k8s.io}}
"""

_numbers = count(1)


@dataclass(frozen=True)
class Company:
    """Whoever looks after one release."""

    lab: Lab
    stage: Stage
    release: Release
    operators: list[Operator] = field(default_factory=list)

    def begin(self, *, prometheus: str | None = None, first: Callable[[], None] | None = None) -> None:
        """Apply the release, let jo and kim overrule it, and start an operator; the canary has its first weight."""
        self.release.create(ladder=LADDER)
        self.lab.apply(GRANT.format(namespace=self.release.namespace))
        self.start(prometheus=prometheus, first=first)
        self.await_step()

    def start(self, *, prometheus: str | None = None, first: Callable[[], None] | None = None) -> None:
        """Start an operator for the release; `first` is called in its process before it begins."""
        self.operators.append(self.stage.operator(self.release, prometheus=prometheus, first=first))

    def stop(self) -> None:
        """Kill what runs."""
        for operator in self.operators:
            operator.end()

    def await_step(self) -> None:
        """Return when the canary has its first weight, and the status says so."""
        await_true(lambda: self.release.weight() == 50, "the first step")
        await_true(lambda: self._status().get("weight") == 50, "the status of the first step")

    def order(self, user: str, action: str, **spec: Any) -> str:
        """What a person orders, of the rollout that is under way unless told otherwise: the override's name."""
        name = f"{action}-{next(_numbers)}"
        given = {"target": "app", "action": action, "requestedBy": user, "reason": "the users call us"}
        rollout = self._status().get("rollout", {}).get("id")
        manifest = {
            "apiVersion": "serinus.io/v1alpha1",
            "kind": "CanaryOverride",
            "metadata": {"name": name, "namespace": self.release.namespace},
            "spec": given | {"rollout": rollout} | spec,
        }
        self.lab.kubectl("create", "--filename=-", f"--as={user}", stdin=yaml.safe_dump(manifest))
        return name

    def answers(self) -> dict[str, dict[str, Any]]:
        """What came of the overrides that are there, by name; empty for one without an answer."""
        found = self.lab.kubectl(
            "get", "canaryoverrides", f"--namespace={self.release.namespace}", "--output=json", "--as=jo"
        )
        return {each["metadata"]["name"]: each.get("status", {}) for each in json.loads(found)["items"]}

    def answer(self, name: str) -> tuple[str, str]:
        """What came of an override, when it has come: outcome and message."""
        await_true(lambda: self.answers()[name], f"an answer to {name}")
        told = self.answers()[name]
        return told["outcome"], told["message"]

    def rollout(self) -> str:
        """Id of the rollout that the status is about."""
        return str(self._status()["rollout"]["id"])

    def _status(self) -> dict[str, Any]:
        return dict(self.release.canary().get("status", {}))

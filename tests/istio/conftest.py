"""A VirtualService that is split as the operator does it, by the same patches, without an operator."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.stack import Lab
from serinus.istio import Split, arm_routes, cohort_filter, cohort_variant, names_in_envoy, weights_patch

Object = dict[str, Any]


@dataclass(frozen=True)
class Routed:
    """A VirtualService on an API server, whose arms are the subsets stable and canary of `host`."""

    lab: Lab
    name: str
    namespace: str
    host: str

    def read(self) -> Object:
        """As it is now."""
        found = self.lab.kubectl("get", "virtualservice", self.name, f"--namespace={self.namespace}", "--output=json")
        read: Object = json.loads(found)
        return read

    def split(self, split: Split, decision: str = "r/1-start") -> None:
        """Read it, patch it."""
        service = self.read()
        (routes,) = arm_routes(service, host=self.host, stable="stable", canary="canary")
        patch = json.dumps(weights_patch(service, routes, split, decision=decision))
        target = ("virtualservice", self.name, f"--namespace={self.namespace}", "--type=json", f"--patch={patch}")
        self.lab.kubectl("patch", *target)

    def hash_by(self, split: Split, route: str = "primary", roots: Sequence[Object] = ()) -> None:
        """Have Envoy choose by a hash on the copy of `route`, also where `roots` delegate to this VirtualService."""
        assert split.cohort is not None
        owner = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "uid": "0"}}
        wanted = cohort_filter(
            f"serinus-{self.name}",
            self.namespace,
            split.cohort,
            salt=split.salt,
            routes=names_in_envoy(self.read(), cohort_variant(route), roots),
            owner=owner,
        )
        del wanted["metadata"]["ownerReferences"]
        self.lab.apply([wanted])

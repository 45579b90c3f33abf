"""Istio's objects for tests, and a reading of JSON patches."""

import copy
from typing import Any

from serinus.istio import ArmRoute, Operation, arm_routes

FQDN = "predictor.ml.svc.cluster.local"

Object = dict[str, Any]


def destination(subset: str, weight: int | None = None, host: str = "predictor", **more: Any) -> Object:
    entry = {"destination": {"host": host, "subset": subset}, **more}
    return entry if weight is None else {**entry, "weight": weight}


def primary(*destinations: Object, **more: Any) -> Object:
    return {"name": "primary", "route": list(destinations), **more}


def virtual_service(*routes: Object, **metadata: Any) -> Object:
    return {
        "metadata": {"namespace": "ml", "name": "predictor", "resourceVersion": "7", **metadata},
        "spec": {"hosts": ["predictor"], "http": list(routes)},
    }


def find(service: Object, only: tuple[str, ...] = ()) -> tuple[ArmRoute, ...]:
    (found,) = arm_routes(service, host=FQDN, stable="stable", canary="canary", only=only)
    return found


def apply(target: Object, operations: list[Operation]) -> Object:
    """A small reading of RFC 6902, enough for what a patch may contain here; a failed test raises."""
    result = copy.deepcopy(target)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        node: Any = result
        for part in parts[:-1]:
            node = node[int(part)] if isinstance(node, list) else node[part]
        _apply_one(node, parts[-1], operation)
    return result


def _apply_one(node: Any, last: str, operation: Operation) -> None:
    if isinstance(node, list) and last == "-":
        node.append(copy.deepcopy(operation["value"]))
        return
    key: Any = int(last) if isinstance(node, list) else last
    if operation["op"] == "test":
        assert node[key] == operation["value"], operation
    elif operation["op"] == "remove":
        del node[key]
    elif isinstance(node, list):
        node.insert(key, copy.deepcopy(operation["value"]))
    else:
        node[key] = copy.deepcopy(operation["value"])

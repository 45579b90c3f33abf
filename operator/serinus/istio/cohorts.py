"""The EnvoyFilter by which Envoy chooses a user's arm itself, by a hash of the user's id."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from serinus.api.traffic import Cohort
from serinus.istio.matches import escaped

_CONTEXTS = ("GATEWAY", "SIDECAR_OUTBOUND")  # where routes are chosen
_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_MUTATION = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"


def cohort_filter(
    name: str, namespace: str, cohort: Cohort, *, salt: str, routes: Sequence[str], owner: dict[str, Any]
) -> dict[str, Any]:
    """The EnvoyFilter that makes the arm of a user a function of `salt` and the user's id on Envoy's `routes`.

    Before routes are matched, every request gets a header with SALT/ID, over whatever a client sent under that name;
    no service sees it. The weighted choice takes xxHash64 of that header modulo the weights' sum, in the order in which
    the destinations are listed: the same as serinus.cohort.in_canary where the canary is first and the sum is 100.
    """
    header = f"x-serinus-{hashlib.sha256(f'{namespace}/{name}'.encode()).hexdigest()[:8]}"
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [_reference(owner)]},
        "spec": {
            "configPatches": [
                patch
                for context in _CONTEXTS
                for patch in (
                    _written_early(context, header, f"{salt}/{_id(cohort)}"),
                    _kept_from_services(context, header),
                    *(_hashed(context, header, route) for route in routes),
                )
            ]
        },
    }


def _id(cohort: Cohort) -> str:
    """The user's id in Envoy's format language."""
    if cohort.header is not None:
        return f"%REQ({cohort.header})%"
    # Envoy has no word for a cookie's value; CEL finds it. JSON's way to write a string is CEL's too.
    pattern = json.dumps(f"^(?:.*; ?)?{escaped(str(cohort.cookie))}=([^;]*).*$")
    return f'%CEL(re.extract(request.headers["cookie"], {pattern}, {json.dumps(chr(92) + "1")}))%'


def _written_early(context: str, header: str, value: str) -> dict[str, Any]:
    mutation = {"append": {"header": {"key": header, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}
    extension = {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": f"type.googleapis.com/{_MUTATION}", "mutations": [mutation]},
    }
    filter_chain = {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    return {
        "applyTo": "NETWORK_FILTER",
        "match": {"context": context, "listener": {"filterChain": filter_chain}},
        "patch": _merge(
            {
                "typed_config": {
                    "@type": f"type.googleapis.com/{_MANAGER}",
                    "early_header_mutation_extensions": [extension],
                }
            }
        ),
    }


def _kept_from_services(context: str, header: str) -> dict[str, Any]:
    return {
        "applyTo": "ROUTE_CONFIGURATION",
        "match": {"context": context},
        "patch": _merge({"request_headers_to_remove": [header]}),
    }


def _hashed(context: str, header: str, route: str) -> dict[str, Any]:
    action = {"hash_policy": [{"header": {"header_name": header}}], "weighted_clusters": {"use_hash_policy": True}}
    return {
        "applyTo": "HTTP_ROUTE",
        "match": {"context": context, "routeConfiguration": {"vhost": {"route": {"name": route}}}},
        "patch": _merge({"route": action}),
    }


def _merge(value: dict[str, Any]) -> dict[str, Any]:
    return {"operation": "MERGE", "value": value}


def _reference(owner: dict[str, Any]) -> dict[str, Any]:
    """Makes the cluster remove the filter with the CanaryDeployment."""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }

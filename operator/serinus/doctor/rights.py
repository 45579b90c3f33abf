"""Whether the operator's service account may do what a rollout needs: the rights of deploy/base/rbac.yaml."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from serinus.api import CanaryDeploymentSpec
from serinus.doctor.finding import Finding, error, fine, warning

_CHECK = "rights"
_LOOK = ("list", "watch")
_ISTIO = "networking.istio.io"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A verb on a resource (`canarydeployments/status`: its subresource) of an API group."""

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}"


def _rights(group: str, resources: Sequence[str], verbs: Sequence[str]) -> tuple[Right, ...]:
    return tuple(Right(group, resource, verb) for resource, verb in product(resources, verbs))


EVERYWHERE = (
    *_rights("serinus.io", ("canarydeployments", "canarypolicies", "canaryoverrides"), _LOOK),
    *_rights("serinus.io", ("canarydeployments/status",), ("update",)),
    *_rights("serinus.io", ("canaryoverrides/status", "canarydeployments"), ("patch",)),
    *_rights("serinus.io", ("canaryoverrides",), ("delete",)),
    *_rights("serinus.io", ("canaryrecords",), ("list", "create", "delete")),
    *_rights(_ISTIO, ("virtualservices", "destinationrules"), (*_LOOK, "patch")),
    *_rights(_ISTIO, ("serviceentries", "workloadentries"), _LOOK),
    *_rights("", ("services", "pods"), _LOOK),
    *_rights("apps", ("deployments", "statefulsets"), _LOOK),
    *_rights("events.k8s.io", ("events",), ("create", "patch")),
)
"""Needed of every rollout, in its namespace."""

FOR_COHORTS = _rights(_ISTIO, ("envoyfilters",), ("create", "patch", "delete"))
FOR_SECRETS = _rights("", ("secrets",), ("get",))


def rights_for(spec: CanaryDeploymentSpec) -> tuple[Right, ...]:
    """What the operator needs in the namespace of a CanaryDeployment with this spec."""
    hashes = spec.traffic.cohort is not None and spec.traffic.cohort.by == "hash"
    prometheus = spec.prometheus or (spec.policy.prometheus if spec.policy else None)
    named = prometheus is not None and prometheus.secret_ref is not None
    secrets = named or bool(spec.notify) or any(hook.secret_ref for hook in spec.hooks or ())
    return EVERYWHERE + FOR_COHORTS * hashes + FOR_SECRETS * secrets


def check_rights(account: str, namespace: str, refused: Sequence[Right] | None) -> Iterator[Finding]:
    """`refused`: the rights that the account lacks in the namespace; None where nobody may ask."""
    if refused is None:
        yield warning(
            _CHECK,
            f"you may not ask what {account} may do",
            why="An operator that lacks a right stops in the middle of what it is doing.",
            do="ask somebody who may create subjectaccessreviews.authorization.k8s.io to run this",
        )
    elif refused:
        secrets = [right for right in refused if right in FOR_SECRETS]
        bind = f"bind the ClusterRole serinus-secrets to {account} in {namespace}"
        yield error(
            _CHECK,
            f"{account} may not, in {namespace}: {', '.join(map(str, refused))}",
            why="The rollout would stop where the operator needs it.",
            do=bind if len(secrets) == len(refused) else "apply deploy/base/rbac.yaml, or name the right --operator",
        )
    else:
        yield fine(_CHECK, f"{account} may do all it needs in {namespace}")

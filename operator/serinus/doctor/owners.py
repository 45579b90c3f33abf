"""Who else writes what Serinus writes: Argo CD, Flux, or the controller that made the object."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serinus.doctor.finding import Finding, error, fine, warning

_CHECK = "owners"
_GROUP = "networking.istio.io"
_TRACKED = ("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/instance")
_FLUX = "kustomize.toolkit.fluxcd.io"
_GITOPS = "see GitOps in docs/routing.md"
_FIGHT = "Both write the same fields: the weights would jump to and fro, and no step would be what it says."

Object = Mapping[str, Any]


def check_owners(written: Sequence[Object], applications: Sequence[Object]) -> Iterator[Finding]:
    """`written`: VirtualServices and DestinationRules that the rollout changes; `applications`: those of Argo CD."""
    found = [each for target in written for each in _of(target, applications)]
    yield from found
    if not found and written:
        yield fine(_CHECK, f"nobody else is known to write {', '.join(map(_title, written))}")


def _of(target: Object, applications: Sequence[Object]) -> Iterator[Finding]:
    metadata = target["metadata"]
    notes = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("controller"):
            yield error(
                _CHECK,
                f"{_title(target)} belongs to {owner['kind']} {owner['name']}, whose controller writes it",
                why=_FIGHT,
                do=f"end that {owner['kind']}, or give Serinus a VirtualService of its own",
            )
    if managers := [each for each in applications if _manages(each, target)]:
        yield from (finding for each in managers for finding in _of_argo(each, target))
    elif any(name in notes for name in _TRACKED):
        yield warning(
            _CHECK,
            f"{_title(target)} is tracked by Argo CD, whose Application cannot be read from here",
            why=f"If it syncs by itself and does not ignore these fields: {_FIGHT}",
            do=f"let the Application ignore them with RespectIgnoreDifferences; {_GITOPS}",
        )
    left_alone = notes.get(f"{_FLUX}/ssa") in ("IfNotPresent", "Ignore")
    if f"{_FLUX}/name" in notes and notes.get(f"{_FLUX}/reconcile") != "disabled" and not left_alone:
        yield warning(
            _CHECK,
            f"{_title(target)} is applied by Flux (Kustomization {notes[f'{_FLUX}/name']})",
            why=f"Unless the Kustomization ignores these fields: {_FIGHT}",
            do=f"annotate it with {_FLUX}/ssa: IfNotPresent; {_GITOPS}",
        )


def _of_argo(application: Object, target: Object) -> Iterator[Finding]:
    policy = application.get("spec", {}).get("syncPolicy") or {}
    respects = "RespectIgnoreDifferences=true" in (policy.get("syncOptions") or [])
    if respects and any(_ignores(each, target) for each in application["spec"].get("ignoreDifferences") or []):
        return
    heals = bool((policy.get("automated") or {}).get("selfHeal"))
    yield (error if heals else warning)(
        _CHECK,
        f"Argo CD's Application {application['metadata']['name']} {'heals' if heals else 'syncs'} {_title(target)}",
        why=_FIGHT if heals else "Each sync would write Git's weights over those of the running step.",
        do=f"add it to ignoreDifferences, and RespectIgnoreDifferences=true to syncOptions; {_GITOPS}",
    )


def _manages(application: Object, target: Object) -> bool:
    wanted = (_GROUP, target["kind"], target["metadata"]["namespace"], target["metadata"]["name"])
    listed = (application.get("status") or {}).get("resources") or []
    return any(tuple(each.get(part) for part in ("group", "kind", "namespace", "name")) == wanted for each in listed)


def _ignores(entry: Object, target: Object) -> bool:
    """Whether the entry is about the object and names fields that Serinus writes."""
    metadata = target["metadata"]
    about = entry.get("group") == _GROUP and entry.get("kind") == target["kind"]
    named = entry.get("name") in (None, metadata["name"]) and entry.get("namespace") in (None, metadata["namespace"])
    field = {"VirtualService": "http", "DestinationRule": "subsets"}[target["kind"]]
    paths = json.dumps([entry.get("jsonPointers"), entry.get("jqPathExpressions")])
    return about and named and (field in paths or "serinus" in str(entry.get("managedFieldsManagers")))


def _title(target: Object) -> str:
    return f"{target['kind']} {target['metadata']['namespace']}/{target['metadata']['name']}"

"""Rights as roles give them, and as the API server's audit log says that they were asked for."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from lab.stack import Lab
from lab.stack.cluster import AUDIT_LOG
from serinus.doctor import Right
from tests.deploy.manifests import Object, of_kind


def given(objects: tuple[Object, ...]) -> set[Right]:
    """What the roles that an installation binds give."""
    bindings = of_kind(objects, "RoleBinding") + of_kind(objects, "ClusterRoleBinding")
    bound = {(each["roleRef"]["kind"], each["roleRef"]["name"]) for each in bindings}
    roles = [each for each in objects if (each["kind"], each["metadata"]["name"]) in bound]
    return {
        Right(*each)
        for role in roles
        for rule in role["rules"]
        for each in product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


def used(lab: Lab, account: str) -> set[Right]:
    """What an account (NAMESPACE:NAME) has asked for and been given."""
    done = [each for each in _asked(lab, account) if "objectRef" in each and each["responseStatus"]["code"] < 400]
    return {_right(each["objectRef"], verb) for each in done for verb in _verbs(each)}


def refused(lab: Lab, account: str) -> list[str]:
    """What an account was not allowed."""
    return [
        f"{each['verb']} {each['requestURI']}: {each['responseStatus']['code']}"
        for each in _asked(lab, account)
        if each["responseStatus"]["code"] in (401, 403)
    ]


def _verbs(event: Object) -> set[str]:
    """A patch that applies what was not there needs the right to create it as well."""
    return {event["verb"], "create"} if event["responseStatus"]["code"] == 201 else {event["verb"]}


def _right(reference: Object, verb: str) -> Right:
    resource, subresource = reference["resource"], reference.get("subresource")
    return Right(reference.get("apiGroup", ""), f"{resource}/{subresource}" if subresource else resource, verb)


def _asked(lab: Lab, account: str) -> Iterator[dict[str, Any]]:
    for line in (lab.logs / AUDIT_LOG).read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] == f"system:serviceaccount:{account}":
            yield event

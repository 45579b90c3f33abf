"""The manifests of a release, from files: the CanaryDeployment and the policy that it names."""

from collections.abc import Iterable
from pathlib import Path

from serinus.api import DEFAULT_POLICY, CanaryDeployment, CanaryPolicy, CanaryPolicySpec
from serinus.cli.inputs import InputError, name_of, read_text
from serinus.cli.manifest_file import validated
from serinus.cli.yaml_text import parse_documents
from serinus.planning import Release


def find_release(files: Iterable[Path]) -> tuple[str, Release]:
    """The name of the one CanaryDeployment in `files`, and its release. Manifests of other kinds are passed over.

    Raises InputError where there is none, or more than one; where one is refused; or where its policy is not there.
    """
    deployments: list[CanaryDeployment] = []
    policies: dict[str, CanaryPolicySpec] = {}
    names = []
    for path in files:
        names.append(name_of(path))
        for document in parse_documents(read_text(path), names[-1]):
            match document:
                case {"kind": "CanaryDeployment"}:
                    deployments.append(validated(CanaryDeployment, document, names[-1]))
                case {"kind": "CanaryPolicy"}:
                    policy = validated(CanaryPolicy, document, names[-1])
                    policies[policy.metadata.name] = policy.spec
    places = ", ".join(names)
    if len(deployments) != 1:
        told = ", ".join(each.metadata.name for each in deployments) or "none"
        raise InputError(f"{places}: exactly one CanaryDeployment is needed; there is: {told}")
    return _release(deployments[0], policies, places)


def _release(found: CanaryDeployment, policies: dict[str, CanaryPolicySpec], places: str) -> tuple[str, Release]:
    name, reference = found.metadata.name, found.spec.policy_ref
    if reference is None:
        return name, Release(found.spec, found.spec.policy or DEFAULT_POLICY)
    if reference.name not in policies:
        raise InputError(
            f"{places}: {name} names the CanaryPolicy {reference.name}, which is not there: "
            "give its file with another -f"
        )
    return name, Release(found.spec, policies[reference.name])

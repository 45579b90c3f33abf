"""Manifests of one release in several files: the CanaryDeployment, and the policies that it may name."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from serinus.api import DEFAULT_POLICY, CanaryDeployment, CanaryPolicy, CanaryPolicySpec
from serinus.cli.inputs import InputError, name_of, read_text
from serinus.cli.manifest_file import validated
from serinus.cli.yaml_text import parse_documents


@dataclass(frozen=True)
class Manifests:
    """What Serinus reads of some files; `places` names them."""

    deployments: tuple[CanaryDeployment, ...]
    policies: tuple[CanaryPolicy, ...]
    places: str

    @classmethod
    def read(cls, files: Iterable[Path]) -> "Manifests":
        """From all documents in `files`; those of other kinds are passed over. Raises InputError."""
        deployments: list[CanaryDeployment] = []
        policies: list[CanaryPolicy] = []
        names = []
        for path in files:
            names.append(name_of(path))
            for document in parse_documents(read_text(path), names[-1]):
                match document:
                    case {"kind": "CanaryDeployment"}:
                        deployments.append(validated(CanaryDeployment, document, names[-1]))
                    case {"kind": "CanaryPolicy"}:
                        policies.append(validated(CanaryPolicy, document, names[-1]))
        return cls(tuple(deployments), tuple(policies), ", ".join(names))

    def one_deployment(self) -> CanaryDeployment:
        """The only CanaryDeployment. Raises InputError where there is none, or more than one."""
        if len(self.deployments) != 1:
            told = ", ".join(each.metadata.name for each in self.deployments) or "none"
            raise InputError(f"{self.places}: exactly one CanaryDeployment is needed; there is: {told}")
        return self.deployments[0]

    def policy_of(self, deployment: CanaryDeployment) -> CanaryPolicySpec:
        """The policy by which it is judged. Raises InputError where it names one that is not there."""
        reference = deployment.spec.policy_ref
        if reference is None:
            return deployment.spec.policy or DEFAULT_POLICY
        found = [each.spec for each in self.policies if each.metadata.name == reference.name]
        if not found:
            raise InputError(
                f"{self.places}: {deployment.metadata.name} names the CanaryPolicy {reference.name}, which is not "
                "there: give its file with another -f"
            )
        return found[-1]

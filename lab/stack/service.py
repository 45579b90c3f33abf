"""A service of the lab, as the mesh and its users know it."""

from dataclasses import dataclass

NAMESPACE = "demo"
"""Where everything of the lab's services lies."""


@dataclass(frozen=True)
class Service:
    """Subsets stable (version v1) and canary (version v2), behind the gateway (templates/service.yaml)."""

    name: str

    @property
    def host(self) -> str:
        """The host that its users name in their requests."""
        return f"{self.name}.lab.example"

    @property
    def mesh_host(self) -> str:
        """The host that VirtualService and DestinationRule name."""
        return f"{self.name}.{NAMESPACE}.svc.cluster.local"

    @property
    def routed_hosts(self) -> list[str]:
        """The hosts that the gateway sends to it: the predictor answers to every name that no other service has."""
        return [self.host, "*"] if self.name == "predictor" else [self.host]

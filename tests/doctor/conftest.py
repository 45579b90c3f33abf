"""What those of these tests stand on that need a cluster: the crash tests' stage, and a release of two Deployments."""

from tests.crash.conftest import stage
from tests.workloads.cluster import cluster

__all__ = ["cluster", "stage"]

"""What these tests stand on: the crash tests' stage, and a release of two Deployments on it."""

from tests.crash.conftest import stage
from tests.workloads.cluster import cluster

__all__ = ["cluster", "stage"]

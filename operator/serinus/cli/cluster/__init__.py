"""The API server as the person at the keyboard sees it: kubeconfig, who calls, and a few kinds of request.

The Kubernetes client takes longer to import than most commands take to run; they need four requests of it.
"""

from serinus.cli.cluster.access import Access, find_access
from serinus.cli.cluster.connection import Cluster
from serinus.cli.cluster.errors import ClusterError, Expired, NotFound, Unreachable
from serinus.cli.cluster.kubeconfig import context_names

__all__ = ["Access", "Cluster", "ClusterError", "Expired", "NotFound", "Unreachable", "context_names", "find_access"]

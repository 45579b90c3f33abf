"""The controller: everything that touches the cluster, around one reconcile function."""

from serinus.controller.front import Address
from serinus.controller.kube_errors import NoCluster
from serinus.controller.leases.settings import LeaseSettings
from serinus.controller.operator import operate
from serinus.controller.record_file import RecordFile
from serinus.controller.settings import Settings

__all__ = ["Address", "LeaseSettings", "NoCluster", "RecordFile", "Settings", "operate"]

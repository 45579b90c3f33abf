"""Leases: which replica acts for which objects, and until when it may write.

Every object belongs to a shard, every shard has a Lease (coordination.k8s.io), and who holds that writes. Replicas take
what is free, and the one with fewer asks the one with more.
"""

from serinus.controller.leases.alone import Alone
from serinus.controller.leases.holder import Holder
from serinus.controller.leases.settings import LeaseSettings
from serinus.controller.leases.shards import shard_of
from serinus.controller.leases.store import LeaseStore

__all__ = ["Alone", "Holder", "LeaseSettings", "LeaseStore", "shard_of"]

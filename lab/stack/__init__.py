"""The local stack: etcd, kube-apiserver, istiod, Envoy and Prometheus as plain processes of one object, `Lab`."""

from lab.stack.lab import Lab

__all__ = ["Lab"]

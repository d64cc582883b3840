"""The catalog's flags, feature gates and bounds, by the components themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imagegen import assets
from tests.conftest import missing
from tools import toolbox

pytestmark = pytest.mark.tools

VERSION = "1.37.2"
CATALOG = assets.catalog()
GATES = CATALOG.feature_gates
REMOVED = sorted(gate for gate in GATES.removed if GATES.removed_in(gate, VERSION))
KNOWN = sorted({*GATES.added, *GATES.locked} - set(REMOVED))
LOCKED = {gate: locked for gate in KNOWN if (locked := GATES.locked_to(gate, VERSION)) is not None}


def built(name: str) -> Path:
    """A built component; the test is skipped where `make tools` has not run, and fails in CI."""
    if not toolbox.is_built(toolbox.component_of(name)):
        missing(f"{name} (make tools)")
    return toolbox.path(name)


def ask(name: str, *arguments: str) -> str:
    """What a component says of its command line: it reads all of it before it prints its version."""
    command = [str(built(name)), *arguments, "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return result.stdout + result.stderr


def test_it_is_the_version_that_these_facts_are_about() -> None:
    assert ask("kube-apiserver").strip() == f"Kubernetes v{VERSION}"


def test_removed_gates_are_unknown() -> None:
    said = {gate: ask("kube-scheduler", f"--feature-gates={gate}=true") for gate in REMOVED}
    assert [gate for gate, text in said.items() if f"unrecognized feature gate: {gate}" not in text] == []


def test_all_other_gates_are_known() -> None:
    values = ",".join(f"{gate}={str(LOCKED.get(gate, True)).lower()}" for gate in KNOWN)
    assert "unrecognized feature gate" not in ask("kube-apiserver", f"--feature-gates={values}")


def test_locked_gates_take_one_value() -> None:
    said = {gate: ask("kube-apiserver", f"--feature-gates={gate}={str(not LOCKED[gate]).lower()}") for gate in LOCKED}
    assert [gate for gate, text in said.items() if "locked to" not in text] == []


@pytest.mark.parametrize("name", CATALOG.components)
def test_flags(name: str) -> None:
    removed = CATALOG.removed_flags(name, VERSION)
    for flag in (*removed, *CATALOG.components[name].spec_keys, "profiling"):
        assert ("unknown flag" in ask(name, f"--{flag}=x")) is (flag in removed), flag


def test_the_kubelets_flags() -> None:
    removed = CATALOG.removed_kubelet_flags(VERSION)
    kept = (*CATALOG.kubelet.one_machine.flags, "image-credential-provider-config")
    for flag in (*removed, *kept):
        assert ("unknown flag" in ask("kubelet", f"--{flag}=x")) is (flag in removed), flag


NETWORKS = {
    "10.0.0.0/8 172.16.0.0/12": True,
    "10.0.0.0/7 172.16.0.0/12": False,
    "10.0.0.0/8 172.0.0.0/11": False,
    "10.0.0.0/8 172.16.0.0/28": True,
    "10.0.0.0/8 172.16.0.0/29": False,
    "fd01::/48 fd02::/108": True,
    "fd01::/47 fd02::/108": False,
    "fd01::/48 fd02::/107": False,
}


@pytest.mark.parametrize("ranges", NETWORKS)
def test_ranges(ranges: str, tmp_path: Path) -> None:
    pods, services = ranges.split()
    document = tmp_path / "kubeadm.yaml"
    document.write_text(
        f"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v{VERSION}\n"
        f"networking: {{podSubnet: '{pods}', serviceSubnet: '{services}'}}\n"
    )
    command = [str(built("kubeadm")), "config", "validate", "--config", str(document)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode == 0) is NETWORKS[ranges], result.stderr

"""Every minor's own kubeadm on the documents of that minor: `make tools-test`, which builds them first."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.cli.common import load_assets
from tests.golden.test_golden import CASES, HERE
from tests.support.specs import spec
from tests.tools.test_kubeadm import documents, kubeadm, validate
from tools import toolbox

pytestmark = pytest.mark.kubeadms
_OLDEST = 29


def minor_of(version: str) -> str:
    return version.rpartition(".")[0]


NATIVE = {
    minor_of(component.version): binary
    for component in (*toolbox.components(), *toolbox.kubeadms())
    for binary in component.binaries
    if binary.startswith("kubeadm")
}
# A kubeadm takes its own minor and the one before; nobody builds an older one than 1.29 from a module.
READERS = {f"1.{_OLDEST - 1}": NATIVE[f"1.{_OLDEST}"], **NATIVE}
IPVS_IS_OLD = 'field "mode" is set to "ipvs" which has been deprecated'
CATALOG = load_assets().catalog.kubernetes
GATED = {minor: facts.proxy_mode_gates for minor, facts in CATALOG.items()}
EVERYTHING = CASES["everything-1.37"]
RICH = {
    **EVERYTHING,
    "controlPlane": {
        **EVERYTHING["controlPlane"],
        "certSANs": ["10.0.0.1", "fd00::1", "api.example.com"],
        "nodes": [{"name": f"cp{number}", "address": f"192.168.0.{number}"} for number in (11, 12, 13)],
    },
    "kubeadm": {**EVERYTHING["kubeadm"], "ignorePreflightErrors": ["SystemVerification"]},
    "nodePools": [
        {
            "name": "workers",
            "labels": {"disk": "fast", "empty": ""},
            "taints": [{"key": "gpu", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoExecute"}],
        }
    ],
}


def version_of(minor: str) -> str:
    component = toolbox.component_of(READERS[minor])
    return component.version if minor_of(component.version) == minor else CATALOG[minor].newest


def assert_valid(minor: str, found: list[str], tmp_path: Path) -> None:
    assert found
    for document in found:
        result = validate(kubeadm(READERS[minor]), document, tmp_path / "kubeadm.yaml")
        # Nor any other warning: of a deprecated API, or of a field that it does not know.
        warnings = [line for line in result.stderr.splitlines() if IPVS_IS_OLD not in line]
        assert (result.returncode, result.stdout, warnings) == (0, "ok\n", []), document


def test_every_minor_of_the_catalog_has_a_reader() -> None:
    assert set(READERS) == {minor for minor in CATALOG if int(minor.partition(".")[2]) >= _OLDEST - 1}


# A mode behind a feature gate is refused without it.
MODES = [(minor, mode) for minor in READERS for mode in CATALOG[minor].proxy_modes if mode not in GATED[minor]]


@pytest.mark.parametrize(("minor", "mode"), MODES)
def test_rich_spec(minor: str, mode: str, tmp_path: Path) -> None:
    network = {**RICH["network"], "kubeProxy": {"mode": mode}}
    data = {**RICH, "kubernetes": {"version": version_of(minor)}, "network": network}
    assert_valid(minor, documents(data), tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, tmp_path: Path) -> None:
    found = [document for path in sorted((HERE / case).glob("*.yaml")) for document in kubeadm_files(path)]
    assert_valid(minor_of(CASES[case]["kubernetes"]["version"]), found, tmp_path)


def kubeadm_files(path: Path) -> list[str]:
    return [
        entry["content"]
        for entry in yaml.safe_load(path.read_text())["write_files"]
        if "/imagegen/kubeadm" in entry["path"]
    ]


@pytest.mark.parametrize("minor", NATIVE)
def test_the_catalog_s_pause_image_is_kubeadm_s(minor: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeadm.yaml"
    path.write_text(documents({**spec(), "kubernetes": {"version": version_of(minor)}})[0])
    command = [str(kubeadm(NATIVE[minor])), "config", "images", "list", "--config", str(path)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert [image for image in listed if "/pause:" in image] == [f"registry.k8s.io/pause:{CATALOG[minor].pause}"]


FAULTS: dict[str, Any] = {
    "unknown field": ("serviceSubnet", "serviceSubnets"),
    "unknown field of kube-proxy": ("mode: ", "modus: "),
    "other minor's dialect": ("kubeadm.k8s.io/v1beta", "kubeadm.k8s.io/v1alpha"),
    "bad token": ("000000.", "0."),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("minor", READERS)
def test_the_check_can_fail(minor: str, fault: str, tmp_path: Path) -> None:
    document = documents({**RICH, "kubernetes": {"version": version_of(minor)}})[0]
    broken = document.replace(*FAULTS[fault])
    assert broken != document
    with pytest.raises(AssertionError):
        assert_valid(minor, [broken], tmp_path)

"""The bake's own script puts a network plugin's manifest where first boot looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import rooted
from tests.support.specs import render, spec

pytestmark = [pytest.mark.tools, pytest.mark.timeout(120)]
SCRIPT = "bash /var/tmp/imagegen/scripts/60-install-kubernetes.sh"
TARGET = "/usr/local/lib/imagegen/cni/calico.yaml"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The image's folder on the machine, and a bundle that lacks the manifest."""
    rooted.ready(rooted.HOST)
    prefix = "images/demo/packer/"
    network = {**spec()["network"], "cni": "calico"}
    for path, file in render(spec(image={"source": "bundle"}, network=network)).tree:
        if path.startswith(prefix):
            target = tmp_path / path.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    for name in ("kubeadm", "kubectl", "kubelet"):
        program = tmp_path / "source/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch()
    return tmp_path


def bake(work: Path, command: str) -> str:
    return rooted.run(rooted.HOST, "bash", "-c", command, folders={"/var/tmp/imagegen": work})


def test_it_is_there_as_it_was(work: Path) -> None:
    (work / "source/manifests").mkdir()
    (work / "source/manifests/calico.yaml").write_text("kind: Some\n")
    assert bake(work, f"{SCRIPT} && stat --format=%a {TARGET} && cat {TARGET}") == "644\nkind: Some\n"


def test_a_bake_without_it_fails_and_says_what_is_missing(work: Path) -> None:
    said = bake(work, f"! {SCRIPT} 2>&1 && test ! -e {TARGET}")
    assert "the image needs calico.yaml for the pod network: `imagegen lock` pins it" in said

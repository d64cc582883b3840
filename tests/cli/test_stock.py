"""What the commands say of machines that install themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from imagegen.journey import STEPS
from tests.support.specs import run, spec

SERVED = {
    "os": "debian-12",
    "install": "stock",
    "stock": {"url": "https://bucket.example.com/stock"},
    "bundle": {"url": "https://bucket.example.com/bundle", "sha256": "0" * 64},
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cluster.yaml").write_text(yaml.safe_dump(spec(image=SERVED)))
    assert run("secrets", "new", "cluster.yaml").exit_code == 0
    return Path("cluster.yaml")


def test_render_says_what_to_serve(cluster: Path) -> None:
    said = run("render", cluster).stdout
    assert "image demo: not baked, its machines install themselves; serve images/demo/stock/ to them" in said
    image = json.loads(run("render", cluster, "--format=json").stdout)["images"][0]
    assert (image["install"], image["bake"], image["folder"]) == ("stock", False, "images/demo/stock")
    assert len(list(Path("out/demo/images/demo/stock").iterdir())) == 1


def test_explain_tells_every_step_in_words(cluster: Path) -> None:
    said = run("explain", cluster, "--role=worker-workers").stdout
    assert said.index("bootcmd: starts imagegen-install.service") < said.index("write_files: writes")
    assert said.index("85-require-verified: ") < said.index("imagegen-bootstrap.service, as soon as that is done")
    steps = json.loads(run("explain", cluster, "--role=worker-workers", "--format=json").stdout)["install"]
    scripts = {path.stem for path in (Path(__file__).parents[2] / "packer/scripts").glob("*.sh")}
    assert {step["name"] for step in steps} == scripts - {"90-seal-image"} == set(STEPS)
    assert [step["does"] for step in steps] == [STEPS[step["name"]] for step in steps]


def test_explain_has_no_install_where_there_is_an_image(cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(spec()))
    assert "imagegen-install" not in run("explain", cluster, "--role=worker-workers").stdout


def test_nothing_to_bake(cluster: Path) -> None:
    run("render", cluster)
    packer = Path("packer")
    packer.write_text("#!/bin/sh\necho Packer v1.11.0\n")
    packer.chmod(0o755)
    ended = run("bake", cluster, f"--packer={packer.absolute()}")
    assert ended.exit_code == 1
    assert "there is nothing to bake: the machines install themselves" in ended.stderr


def test_no_image_is_stale(cluster: Path) -> None:
    Path("manifest.json").write_text('{"builds": []}')
    ended = run("stale", cluster, "--against=manifest.json")
    assert (ended.exit_code, ended.stdout) == (0, "demo: not baked, its machines install themselves\n")
    assert json.loads(run("stale", cluster, "--against=manifest.json", "--format=json").stdout) == {"images": []}


def test_fingerprint_knows_it(cluster: Path) -> None:
    stock = run("fingerprint", cluster).stdout
    cluster.write_text(yaml.safe_dump(spec(image={"bundle": SERVED["bundle"]})))
    assert run("fingerprint", cluster).stdout == stock


def test_inspect_reads_what_is_served(cluster: Path) -> None:
    run("render", cluster)
    (payload,) = Path("out/demo/images/demo/stock").iterdir()
    said = run("inspect", payload).stdout
    assert said.startswith("xz of stock payload, ")
    assert "/var/tmp/imagegen/scripts/30-install-packages.sh" in said
    stamp = run("inspect", payload, "--show=/var/tmp/imagegen/files/etc/imagegen/image.json").stdout
    assert json.loads(stamp)["os"] == "debian-12"
    payload.write_bytes(payload.read_bytes()[:100])
    broken = run("inspect", payload)
    assert (broken.exit_code, "a packed install that is broken" in broken.stderr) == (1, True)

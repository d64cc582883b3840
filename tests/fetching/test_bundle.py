"""`imagegen bundle`, and what the bake's own check says of the result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fetching.conftest import Run
from tests.support import specs
from tests.support.origins import KUBERNETES, Signer, Vendors, image_names
from tests.support.program import ROOT
from tests.support.server import Site, serve

KUBELET = f"/dl.k8s.io/release/v{KUBERNETES}/bin/linux/amd64/kubelet"
JQ = "/ftp.debian.org/debian/pool/main/jq_1.0-1_amd64.deb"


@pytest.fixture(scope="module")
def locked(filled: dict[str, bytes], signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The lock: whatever server was asked, it has the same bytes."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "demo.yaml").write_text(yaml.safe_dump(specs.spec(image={"source": "bundle"})))
    with serve(Site(files=filled)) as site:
        mirrors = Vendors(site, folder, signer).mirrors
        assert specs.run("lock", folder / "demo.yaml", *mirrors).exit_code == 0
    return (folder / "demo.lock.yaml").read_text()


@pytest.fixture(autouse=True)
def lock_file(locked: str, spec: Path) -> Path:
    file = spec.with_name("demo.lock.yaml")
    file.write_text(locked)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bundle"


def baked_check(folder: Path, digest: str = "") -> str:
    """What packer/verify, as it is on the machine, says of a bundle; nothing: it may be used."""
    command = [sys.executable, str(ROOT / "packer" / "verify"), "bundle", str(folder)]
    wanted = [f"--sha256={digest}", "--architecture=amd64", f"--kubernetes={KUBERNETES}"]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def rendered(spec: Path, tmp_path: Path) -> Path:
    assert specs.run("secrets", "new", spec).exit_code == 0
    assert specs.run("render", spec, "--out", tmp_path / "out").exit_code == 0
    return tmp_path / "out" / "demo" / "images" / "demo" / "packer"


def test_the_bake_takes_it_and_render_knew_its_hash(bundle: Run, spec: Path, folder: Path, tmp_path: Path) -> None:
    result = bundle()
    assert result.exit_code == 0, result.stderr
    packer = rendered(spec, tmp_path)
    digest = sha256((folder / "bundle.json").read_bytes()).hexdigest()
    assert f"BUNDLE_SHA256={digest}\n" in (packer / "image.env").read_text()
    assert digest in result.stdout
    assert baked_check(folder, digest) == ""
    assert os.access(folder / "bin" / "kubelet", os.X_OK)
    assert not (folder / ".parts").exists()


def test_what_a_bake_is_told_of_the_lock(spec: Path, tmp_path: Path) -> None:
    packer = rendered(spec, tmp_path)
    told = json.loads((packer / "lock.json").read_text())
    locked = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"]["amd64"]
    assert {key: told[key] for key in ("format", "architecture", "kubernetes", "source")} == {
        "format": 1,
        "architecture": "amd64",
        "kubernetes": KUBERNETES,
        "source": "bundle",
    }
    assert [file for file in told["files"] if file["kind"] != "image"] == locked["files"]
    images = [{"kind": "image", "name": image["name"], "digest": image["digest"]} for image in locked["images"]]
    assert [file for file in told["files"] if file["kind"] == "image"] == images
    variables = json.loads((packer / "demo.auto.pkrvars.json").read_text())
    assert variables["qemu_base_url"] == locked["base"]["url"]
    assert variables["qemu_base_checksum"] == f"sha256:{locked['base']['sha256']}"
    assert variables["image_contents"]["runc"] == "1.1.5+ds1-1+b1"
    assert variables["image_contents"]["registry.k8s.io/etcd"] == "3.7.0-0"


def test_stale_says_what_a_new_lock_brings(lock: Run, spec: Path, vendors: Vendors, tmp_path: Path) -> None:
    packer = rendered(spec, tmp_path)
    variables = json.loads((packer / "demo.auto.pkrvars.json").read_text())
    said = variables["image_contents"] | {"name": "demo", "fingerprint": variables["image_fingerprint"]}
    build = {"artifact_id": "demo", "build_time": 1, "custom_data": said}
    (tmp_path / "manifest.json").write_text(json.dumps({"builds": [build]}))
    assert specs.run("stale", spec, "--against", tmp_path / "manifest.json").exit_code == 0
    vendors.runc = "1.4.3-1"
    vendors.debian("amd64")
    assert lock().exit_code == 0
    result = specs.run("stale", spec, "--against", tmp_path / "manifest.json")
    assert result.exit_code == 1
    assert "    runc 1.1.5+ds1-1+b1 → 1.4.3-1\n" in result.stdout


def test_an_image_is_a_whole_oci_archive(bundle: Run, spec: Path, folder: Path) -> None:
    assert bundle().exit_code == 0
    locked = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"]["amd64"]["images"]
    assert {image["name"] for image in locked} == set(image_names())
    for image in locked:
        with tarfile.open(folder / image["path"]) as archive:
            files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
        assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
        (entry,) = json.loads(files["index.json"])["manifests"]
        assert entry["digest"] == image["digest"]
        assert entry["annotations"]["io.containerd.image.name"] == image["name"]
        manifest = json.loads(files[f"blobs/{entry['digest'].replace(':', '/')}"])
        wanted = {entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
        blobs = {name: content for name, content in files.items() if name.startswith("blobs/")}
        assert {f"sha256:{sha256(content).hexdigest()}" for content in blobs.values()} == wanted
        assert {f"blobs/{digest.replace(':', '/')}" for digest in wanted} == set(blobs)


def test_a_second_run_asks_nobody(bundle: Run, vendors: Vendors) -> None:
    assert bundle().exit_code == 0
    vendors.site.heard.clear()
    result = bundle()
    assert result.exit_code == 0
    assert "0 of them fetched now" in result.stdout
    assert not vendors.site.heard


def test_and_fetches_what_is_missing_or_broken_alone(bundle: Run, folder: Path, vendors: Vendors) -> None:
    assert bundle().exit_code == 0
    (folder / "bin" / "kubelet").unlink()
    deb = folder / "packages" / "jq.deb"
    content = bytearray(deb.read_bytes())
    content[len(content) // 2] ^= 1
    deb.write_bytes(content)
    assert "packages/jq.deb has sha256" in baked_check(folder)
    vendors.site.heard.clear()
    assert "2 of them fetched now" in bundle().stdout
    assert {path for path, _ in vendors.site.heard} == {KUBELET, JQ}
    assert baked_check(folder) == ""


def test_one_that_was_cut_goes_on(bundle: Run, folder: Path, vendors: Vendors) -> None:
    vendors.site.faults[KUBELET] = ["cut 1000", "503"]
    assert bundle().exit_code == 0
    assert vendors.site.requests(KUBELET)[1]["range"] == "bytes=1000-"
    assert baked_check(folder) == ""


def test_a_lie_stops_it_and_is_not_in_the_folder(bundle: Run, folder: Path, vendors: Vendors) -> None:
    vendors.site.faults[KUBELET] = ["lie"]
    result = bundle()
    assert result.exit_code == 3
    assert f"https:/{KUBELET} (by way of {vendors.site.url}{KUBELET}): expected sha256 " in result.stderr
    assert "it is not what was locked: a mirror lies, or its vendor changed it" in result.stderr
    assert not (folder / "bin" / "kubelet").exists()
    assert "bundle.json is missing" in baked_check(folder)
    # The server has thought better of it.
    assert bundle().exit_code == 0
    assert baked_check(folder) == ""


def test_a_package_that_the_archive_has_no_more(bundle: Run, vendors: Vendors) -> None:
    del vendors.site.files[JQ]
    result = bundle()
    assert result.exit_code == 3
    assert "jq_1.0-1_amd64.deb" in result.stderr
    assert "(404)\n    gone from the archive: run `imagegen lock` again, or bake from a bundle" in result.stderr


def test_a_part_of_an_image_that_changed(bundle: Run, vendors: Vendors) -> None:
    blob = next(path for path in vendors.site.files if path.startswith("/registry.k8s.io/v2/etcd/blobs/"))
    vendors.site.files[blob] = vendors.site.files[blob][::-1]
    result = bundle()
    assert result.exit_code == 3
    assert f"expected sha256 {blob.rpartition(':')[2]}, found " in result.stderr


def test_a_folder_with_something_else_in_it_is_left_alone(bundle: Run, folder: Path, vendors: Vendors) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("chapter one")
    result = bundle()
    assert result.exit_code == 1
    assert "thesis.tex belongs to no bundle: name another folder with --out" in result.stderr
    assert names(folder) == {"thesis.tex"}
    assert not vendors.site.heard


def test_what_an_older_bundle_had_is_taken_away(bundle: Run, lock: Run, spec: Path, folder: Path) -> None:
    assert bundle().exit_code == 0
    data: dict[str, Any] = specs.spec(image={"source": "bundle"}, network={"cni": "none"})
    spec.write_text(yaml.safe_dump(data))
    assert lock().exit_code == 0
    assert bundle().exit_code == 0
    assert not [name for name in names(folder) if "flannel" in name or name.startswith("cni/")]
    assert baked_check(folder) == ""


def test_without_a_lock(bundle: Run, spec: Path, folder: Path) -> None:
    spec.with_name("demo.lock.yaml").unlink()
    result = bundle()
    assert result.exit_code == 1
    assert result.stderr == f"image demo has no lock: run `imagegen lock {spec}` first\n"
    assert not folder.exists()


def test_json(bundle: Run, folder: Path) -> None:
    result = bundle("--format", "json")
    (image,) = json.loads(result.stdout)["images"]
    count = len(names(folder)) - 1
    digest = sha256((folder / "bundle.json").read_bytes()).hexdigest()
    assert image == {"name": "demo", "folder": str(folder), "sha256": digest, "files": count, "fetched": count}


def test_ctrl_c_keeps_what_came_and_leaves_no_half_file(
    bundle: Run, spec: Path, folder: Path, vendors: Vendors
) -> None:
    vendors.site.faults[KUBELET] = ["stall 2000"]
    command = [sys.executable, "-m", "imagegen", "bundle", str(spec), "--out", str(folder), *vendors.only_mirrors]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size == 2000 for path in folder.glob(".parts/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - interrupted < 25
    assert process.returncode != 0
    assert "Traceback" not in said
    assert not (folder / "bundle.json").exists()
    assert not (folder / "bin" / "kubelet").exists()
    vendors.site.heard.clear()
    assert bundle().exit_code == 0
    assert vendors.site.requests(KUBELET)[0]["range"] == "bytes=2000-"
    assert baked_check(folder) == ""

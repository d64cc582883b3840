"""Fingerprints, and whether what was baked is still what is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from imagegen.cli import app
from imagegen.inventory import Inventory, read_inventory
from imagegen.records import Baked
from imagegen.staleness import judge
from tests.support.inventories import FINGERPRINT, inventory
from tests.support.specs import run, spec

Json = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(spec()))
    return path


def described(path: Path) -> Json:
    data: Json = json.loads(run("fingerprint", path, "--format", "json").stdout)["demo"]
    return data


def packer(*builds: Json) -> Json:
    """Packer's manifest: the last of its builds is not always the last in the list."""
    return {
        "builds": [
            {"artifact_id": f"disk-{time}", "build_time": time, "custom_data": _said(build)}
            for time, build in zip((200, 100), builds, strict=False)
        ],
        "last_run_uuid": "x",
    }


def _said(build: Json) -> Json:
    return {**build["contents"], "image": "demo-1.37.2-0", "fingerprint": build["fingerprint"]}


def alicloud(build: Json) -> Json:
    tags = {"image": f"demo-1.37.2-{build['fingerprint'][:12]}", "fingerprint": build["fingerprint"]}
    tags |= {"kubernetes": build["contents"]["kubernetes"], "os": build["contents"]["os"]}
    tag = [{"TagKey": f"imagegen/{key}", "TagValue": value} for key, value in tags.items()]
    own = {"ImageId": "m-1", "ImageName": "demo", "CreationTime": "2026-11-01T00:00:00Z", "Tags": {"Tag": tag}}
    return {"Images": {"Image": [own, {"ImageId": "m-2", "ImageName": "somebody's", "Tags": {"Tag": []}}]}}


def aws(build: Json) -> Json:
    (own, _) = alicloud(build)["Images"]["Image"]
    tags = [{"Key": tag["TagKey"], "Value": tag["TagValue"]} for tag in own["Tags"]["Tag"]]
    return {"Images": [{"ImageId": "ami-1", "Name": "demo", "CreationDate": "2026-11-01T00:00:00Z", "Tags": tags}]}


def dashed(build: Json) -> Json:
    (own, _) = alicloud(build)["Images"]["Image"]
    return {tag["TagKey"].replace("/", "-"): tag["TagValue"] for tag in own["Tags"]["Tag"]}


def gcloud(build: Json) -> list[Json]:
    """`gcloud compute images list --format=json`: labels without dots, 63 characters at most."""
    labels = {name: value.replace(".", "-")[:63] for name, value in dashed(build).items()}
    other = {"id": "2", "name": "cos-stable", "creationTimestamp": "2026-11-03T00:00:00.000-07:00"}
    return [{"id": "1", "name": "demo", "creationTimestamp": "2026-11-01T00:00:00.000-07:00", "labels": labels}, other]


def azure(build: Json) -> list[Json]:
    """`az image list`."""
    tags = {**dashed(build), "imagegen-made": "2026-11-01T00:00:00Z"}
    return [{"id": "/subscriptions/0/images/demo", "name": "demo", "tags": tags}, {"id": "other", "tags": None}]


def azure_gallery(build: Json) -> list[Json]:
    """`az sig image-version list`."""
    published = {"publishedDate": "2026-11-01T00:00:00+00:00"}
    return [{"id": "/galleries/g/1.0.0", "name": "1.0.0", "tags": dashed(build), "publishingProfile": published}]


def openstack(build: Json) -> Json:
    """`openstack image show -f json`."""
    properties = {"os_hidden": False, **dashed(build)}
    return {"id": "a1", "name": "demo", "created_at": "2026-11-01T00:00:00Z", "properties": properties}


def openstack_several(build: Json) -> list[Json]:
    return [openstack(build), {"id": "b2", "created_at": "2026-11-02T00:00:00Z", "properties": {}}]


def glance(build: Json) -> Json:
    """GET /v2/images."""
    return {"images": [{"id": "a1", "name": "demo", "created_at": "2026-11-01T00:00:00Z", **dashed(build)}]}


def govc(build: Json) -> Json:
    """`govc vm.info -json`: a template has notes."""
    (own, _) = alicloud(build)["Images"]["Image"]
    notes = json.dumps({tag["TagKey"]: tag["TagValue"] for tag in own["Tags"]["Tag"]})
    config = {"annotation": notes, "createDate": "2026-11-01T00:00:00Z"}
    other = {"name": "a", "config": {"annotation": "mine"}}
    return {"virtualMachines": [{"name": "demo", "config": config}, other, {"name": "b", "config": None}]}


def without_tags(build: Json) -> Json:
    """A copy of Alibaba Cloud's in another region."""
    name = f"demo-{build['contents']['kubernetes']}-{build['fingerprint'][:12]}"
    return {"Images": {"Image": [{"ImageId": "m-3", "ImageName": name, "CreationTime": "2026-11-01T00:00:00Z"}]}}


RECORDS = [
    packer,
    alicloud,
    aws,
    gcloud,
    azure,
    azure_gallery,
    openstack,
    openstack_several,
    glance,
    govc,
    without_tags,
]


def asked(path: Path, record: Any) -> tuple[int, str]:
    against = path.with_name("record.json")
    against.write_text(json.dumps(record))
    result = run("stale", path, "--against", against)
    return result.exit_code, result.stdout


def test_the_fingerprint_needs_no_secrets(path: Path) -> None:
    result = run("fingerprint", path)
    assert result.stdout == f"{described(path)['fingerprint']}  demo\n"
    run("secrets", "new", path)
    assert run("render", path, "--out", path.parent / "out").exit_code == 0
    manifest = json.loads((path.parent / "out/demo/manifest.json").read_text())
    assert manifest["images"]["demo"]["fingerprint"] == described(path)["fingerprint"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda make: make.__name__)
def test_what_was_just_baked_is_fresh(path: Path, record: Any) -> None:
    code, said = asked(path, record(described(path)))
    assert (code, said.split(" (")[0]) == (0, "demo: fresh")


@pytest.mark.parametrize("record", RECORDS, ids=lambda make: make.__name__)
def test_another_version_is_said(path: Path, record: Any) -> None:
    old = described(path)
    path.write_text(yaml.safe_dump(spec(kubernetes={"version": "1.37.1"})))
    code, said = asked(path, record(old))
    assert code == 1
    assert said.startswith("demo: stale (")
    assert "    kubernetes 1.37.2 → 1.37.1\n" in said


def test_packages_are_named_and_hashes_are_not(path: Path) -> None:
    old = described(path)
    old["contents"]["packages"] += " telnet"
    old["contents"]["scripts"] = "0" * 64
    old["fingerprint"] = "0" * 64
    _, said = asked(path, packer(old))
    assert said.splitlines()[1:] == ["    packages: -telnet", "    scripts changed"]


def test_settings_are_named_one_by_one(path: Path) -> None:
    old = described(path)
    old["contents"]["settings"] = old["contents"]["settings"].replace('"off"', '"on"')
    old["fingerprint"] = "0" * 64
    _, said = asked(path, packer(old))
    assert said.splitlines()[1:] == ["    settings: swap on → off"]


def test_what_came_and_what_went(path: Path) -> None:
    old = described(path)
    del old["contents"]["cni"]
    old["contents"] |= {"runc": "1.4.3", "bundle": "0" * 64}
    old["fingerprint"] = "0" * 64
    _, said = asked(path, packer(old))
    # That the bundle is another one is said by what is in it.
    assert said.splitlines()[1:] == ["    cni flannel is new", "    runc 1.4.3 is gone"]
    del old["contents"]["runc"]
    old["contents"]["cni"] = "flannel"
    assert asked(path, packer(old))[1].splitlines()[1:] == ["    bundle changed"]


def judged(new: dict[str, str], inventory: Inventory | None) -> tuple[str, ...]:
    """What is said of an image that was baked before there was a lock."""
    contents = {"kubernetes": "1.37.2"}
    own = Baked(name="demo", identity="", made="1", fingerprint=FINGERPRINT, contents=contents, complete=True)
    return judge("demo", contents | new, "0" * 64, [own], inventory).reasons


def test_what_no_manifest_tells_is_in_the_inventory() -> None:
    found = read_inventory(inventory())
    locked = {"runc": "1.1.5+ds1-1+deb12u2", "containerd": "2.3.8", "registry.k8s.io/pause": "3.10.3", "jq": "1.6"}
    assert judged(locked, found) == (
        "runc 1.1.5+ds1-1+deb12u1 → 1.1.5+ds1-1+deb12u2",
        "containerd 2.3.7 → 2.3.8",
        "registry.k8s.io/pause 3.10.2 → 3.10.3",
        "jq 1.6 is new",
    )
    assert judged({"runc": "1.1.5+ds1-1+deb12u1", "locked files": "0" * 64}, found) == ("locked files is new",)
    # That of another bake says nothing about this one.
    other = read_inventory(inventory(image={**inventory()["image"], "fingerprint": "1" * 64}))
    assert judged({"runc": "1.1.5+ds1-1+deb12u2"}, other) == ("runc 1.1.5+ds1-1+deb12u2 is new",)


def test_the_inventory_is_read_where_it_lies_beside_the_manifest(path: Path) -> None:
    against = path.with_name("inventory.json")
    against.write_text(json.dumps(inventory(image={**inventory()["image"], "fingerprint": "0" * 64})))
    old = described(path) | {"fingerprint": "0" * 64}
    old["contents"]["packages"] = "jq"
    assert asked(path, packer(old))[0] == 1
    against.write_text("{}")
    assert asked(path, packer(old))[0] == 3


def test_a_cloud_s_tags_do_not_tell_everything(path: Path) -> None:
    old = described(path)
    old["fingerprint"] = "0" * 64
    code, said = asked(path, alicloud(old))
    assert code == 1
    assert "its record does not say in what: name, " in said


def test_the_newest_image_counts(path: Path) -> None:
    new, old = described(path), {**described(path), "fingerprint": "0" * 64}
    assert asked(path, packer(new, old))[0] == 0
    assert asked(path, packer(old, new))[0] == 1


def test_an_image_that_was_never_baked(path: Path) -> None:
    code, said = asked(path, {"Images": []})
    assert (code, said) == (1, "demo: stale\n    it was never baked\n")


@pytest.mark.parametrize("text", [b"", b"[1]", b"{}", b'{"Images": 1}', b"null", b"\xff", b"[" * 99_999])
def test_a_file_that_is_no_list(path: Path, text: bytes) -> None:
    against = path.with_name("record.json")
    against.write_bytes(text)
    result = run("stale", path, "--against", against)
    assert result.exit_code == 3
    assert "neither Packer's manifest.json nor" in result.stderr


@pytest.mark.parametrize(
    "record",
    [
        {"builds": [1, {"custom_data": "text"}, {"custom_data": {"name": "demo"}}]},
        {"Images": {"Image": [1, {"Tags": 1}, {"Tags": {"Tag": 1}}, {"Tags": {"Tag": [1]}}]}},
        {"Images": [None, {"Tags": "text"}, {"Tags": [["a", "b"]]}, {}]},
        [{}, {"labels": 1, "creationTimestamp": 1}, {"tags": ["a"]}, {"properties": 1}],
        {"images": [1, {"id": "a"}, None]},
        [],
    ],
    ids=["packer", "alicloud", "aws", "lists", "glance", "empty"],
)
def test_entries_of_a_list_that_are_not_ours(path: Path, record: Json) -> None:
    assert asked(path, record) == (1, "demo: stale\n    it was never baked\n")


def test_a_file_that_is_not_there(path: Path) -> None:
    result = run("stale", path, "--against", path.with_name("absent.json"))
    assert result.exit_code == 2
    assert "absent.json` does not exist" in result.stderr


def test_standard_input(path: Path) -> None:
    text = json.dumps(packer(described(path)))
    result = CliRunner().invoke(app, ["stale", str(path), "--against", "-"], input=text)
    assert (result.exit_code, result.stdout) == (0, "demo: fresh (disk-200)\n")
    result = CliRunner().invoke(app, ["stale", str(path), "--against", "-"], input=b"\xff")
    assert result.exit_code == 3
    assert result.stderr.startswith("standard input: neither")


def test_for_programs(path: Path) -> None:
    against = path.with_name("record.json")
    against.write_text(json.dumps(packer(described(path))))
    said = json.loads(run("stale", path, "--against", against, "--format", "json").stdout)
    assert said["images"] == [{"image": "demo", "fresh": True, "newest": "disk-200", "reasons": []}]

"""The disk that a bake left, or that the user names."""

from __future__ import annotations

import pytest

from imagegen.booting.disks import baked_files, given_disks

MANIFEST = {
    "builds": [
        {"builder_type": "qemu", "files": [{"name": "old.qcow2"}], "custom_data": {"fingerprint": "aa"}},
        {"builder_type": "amazon-ebs", "files": [{"name": "ami"}], "custom_data": {"fingerprint": "bb"}},
        {"builder_type": "qemu", "files": [{"name": "output/new.qcow2"}], "custom_data": {"fingerprint": "cc"}},
    ]
}


def test_the_newest_disk_of_a_manifest_comes_first() -> None:
    assert baked_files(MANIFEST) == (("new.qcow2", "cc"), ("old.qcow2", "aa"))


@pytest.mark.parametrize("data", [None, [], {}, {"builds": [None, {"builder_type": "qemu"}]}])
def test_what_is_no_manifest_has_none(data: object) -> None:
    assert baked_files(data) == ()


@pytest.mark.parametrize(
    ("words", "images", "disks"),
    [
        pytest.param(["d.raw"], ["a", "a"], {"a": "d.raw"}, id="one image"),
        pytest.param(["a=d.raw"], ["a"], {"a": "d.raw"}, id="one image by name"),
        pytest.param(["a=1.raw", "b=2.raw"], ["a", "b"], {"a": "1.raw", "b": "2.raw"}, id="two"),
        pytest.param(["x=d.raw"], ["a"], {"a": "x=d.raw"}, id="a file with such a name"),
        pytest.param([], ["a"], {}, id="none"),
    ],
)
def test_disks_are_given_by_image(words: list[str], images: list[str], disks: dict[str, str]) -> None:
    assert given_disks(words, images) == disks


def test_several_images_want_names() -> None:
    with pytest.raises(ValueError, match="--image a=DISK --image b=DISK"):
        given_disks(["d.raw"], ["a", "b", "a"])

"""A spec for each of Packer's builders, with as much in it as goes together."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from imagegen.filetree import FileTree
from tests.support.specs import render, spec

UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@dataclass(frozen=True)
class Case:
    """What the spec says, and the environment that the builder's credentials come from."""

    key: str
    provider: dict[str, Any]
    settings: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "qemu": Case(
        "qemu",
        {"type": "qemu"},
        {"source": "base.qcow2", "checksum": "sha256:" + "0" * 64, "cpuModel": "max"},
    ),
    "alicloud-ecs": Case(
        "alicloud",
        {"type": "alicloud", "region": "cn-hangzhou"},
        {
            "sourceImage": "debian_12_13_x64_20G_alibase_20260801.vhd",
            "instanceType": "ecs.g7.large",
            "vpc": "vpc-bp1abc",
            "vswitch": "vsw-bp1abc",
            "securityGroup": "sg-bp1abc",
            "family": "k8s-node",
            "bootMode": "UEFI",
            "resourceGroup": "rg-acfm1abc",
            "shareAccounts": ["1234567890123456"],
        },
        {"ALICLOUD_ACCESS_KEY": "none", "ALICLOUD_SECRET_KEY": "none"},
    ),
    "amazon-ebs": Case(
        "amazon",
        {"type": "aws", "region": "eu-central-1"},
        {
            "sourceName": "debian-12-amd64-*",
            "sourceOwner": "136693071363",
            "instanceType": "m6i.large",
            "subnet": "subnet-0abc",
            "securityGroup": "sg-0abc",
            "kmsKey": "alias/images",
            "copyRegions": ["eu-west-1"],
            "copyKmsKeys": {"eu-west-1": "arn:aws:kms:eu-west-1:123456789012:key/0a1b-2c"},
            "shareAccounts": ["123456789012"],
            "shareOrganizations": ["arn:aws:organizations::123456789012:organization/o-abc123"],
            "sessionManager": True,
            "instanceProfile": "imagegen-build",
        },
        {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
    ),
    "googlecompute": Case(
        "googlecompute",
        {"type": "gcp", "region": "europe-west3"},
        {
            "project": "example-images",
            "zone": "europe-west3-a",
            "subnetwork": "build",
            "networkTags": ["packer"],
            "sourceFamily": "debian-12",
            "sourceProject": "debian-cloud",
            "family": "k8s-node",
            "storageLocation": "eu",
        },
    ),
    "azure-arm": Case(
        "azure",
        {"type": "azure", "region": "westeurope"},
        {
            "source": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"},
            "buildResourceGroup": "image-builds",
            "imageResourceGroup": "images",
            "virtualNetwork": "builds",
            "subnet": "builds",
        },
        {
            "ARM_SUBSCRIPTION_ID": UUID,
            "ARM_TENANT_ID": UUID,
            "ARM_CLIENT_ID": UUID,
            "ARM_CLIENT_SECRET": "none",
        },
    ),
    "openstack": Case(
        "openstack",
        {"type": "openstack"},
        {
            "flavor": "m1.small",
            "sourceName": "debian-12",
            "securityGroups": ["packer"],
            "networks": [UUID],
            "shareProjects": [UUID],
        },
        # The address of Keystone is the test's own.
        {"OS_USERNAME": "none", "OS_PASSWORD": "none", "OS_PROJECT_NAME": "none", "OS_DOMAIN_NAME": "none"},
    ),
    "vsphere-clone": Case(
        "vsphere",
        {"type": "vsphere"},
        {"template": "debian-12", "cluster": "compute", "datastore": "images", "network": "builds"},
        {"VSPHERE_SERVER": "vcenter.example.com", "VSPHERE_USER": "none", "VSPHERE_PASSWORD": "none"},
    ),
}
BUILDERS = tuple(CASES)


def with_builder(builder: str, **changed: Any) -> dict[str, Any]:
    """The usual spec, with the builder's provider and settings; None takes a setting away."""
    case = CASES[builder]
    settings = {name: value for name, value in {**case.settings, **changed}.items() if value is not None}
    # An encrypted image of alicloud-ecs cannot have tags.
    tags = {} if builder == "alicloud-ecs" and settings.get("encrypted") else {"team": "platform"}
    return spec(provider=case.provider, image={"bundle": {}, case.key: settings, "tags": tags})


def folder_of(data: dict[str, Any]) -> dict[str, bytes]:
    """The emitted Packer folder of the spec's one image."""
    tree: FileTree = render(data).tree
    prefix = "images/demo/packer/"
    return {path.removeprefix(prefix): file.content for path, file in tree if path.startswith(prefix)}


def variables_of(data: dict[str, Any]) -> dict[str, Any]:
    """The generated values of Packer's variables."""
    values: dict[str, Any] = json.loads(folder_of(data)["demo.auto.pkrvars.json"])
    return values

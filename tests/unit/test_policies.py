"""The policies beside a Packer folder allow what the bake needs, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from imagegen import assets
from tests.support.builders import folder_of, with_builder

FILES = {"amazon-ebs": "policies/aws-iam.json", "alicloud-ecs": "policies/alicloud-ram.json"}
BARE: dict[str, dict[str, Any]] = {
    "alicloud-ecs": {"shareAccounts": None, "family": None},
    "amazon-ebs": {
        **dict.fromkeys(("kmsKey", "copyRegions", "copyKmsKeys", "shareAccounts", "shareOrganizations"), None),
        "sessionManager": None,
        "instanceProfile": None,
        "encrypted": False,
    },
}


def policy(builder: str, **changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(folder_of(with_builder(builder, **changed))[FILES[builder]])
    return made


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def resources(document: dict[str, Any]) -> Iterator[str]:
    return (resource for statement in document["Statement"] for resource in statement["Resource"])


@pytest.mark.parametrize("builder", FILES)
@pytest.mark.parametrize("bare", [False, True], ids=["all", "bare"])
def test_no_action_is_a_pattern(builder: str, bare: bool) -> None:
    document = policy(builder, **(BARE[builder] if bare else {}))
    assert document["Statement"]
    assert not [action for action in actions(document) if "*" in action]
    assert {statement["Effect"] for statement in document["Statement"]} == {"Allow"}


def test_every_action_is_written_by_its_service() -> None:
    known = {"ecs", "vpc", "ec2", "kms", "iam", "ssm"}
    for groups in assets.catalog().permissions.values():
        for listed in groups.values():
            assert list(listed) == sorted(set(listed))
            assert {action.partition(":")[0] for action in listed} <= known


@pytest.mark.parametrize(
    ("builder", "wish", "allowed"),
    [
        ("alicloud-ecs", {"copyRegions": ["cn-shanghai"]}, {"ecs:CopyImage", "ecs:CancelCopyImage"}),
        ("alicloud-ecs", {"encrypted": True}, {"ecs:CopyImage", "ecs:CancelCopyImage"}),
        ("alicloud-ecs", {"privateAddress": False}, {"ecs:AllocatePublicIpAddress"}),
        ("alicloud-ecs", {"sourceImage": None, "sourceFamily": "acs:debian_12_x64"}, {"ecs:DescribeImageFromFamily"}),
        ("amazon-ebs", {"encrypted": True}, {"ec2:CopyImage"}),
        ("amazon-ebs", {"copyRegions": ["eu-west-1"]}, {"ec2:CopyImage"}),
        ("amazon-ebs", {"shareAccounts": ["123456789012"]}, {"ec2:ModifySnapshotAttribute"}),
        ("amazon-ebs", {"instanceProfile": "builds"}, {"iam:GetInstanceProfile", "iam:PassRole"}),
        (
            "amazon-ebs",
            {"instanceProfile": "builds", "sessionManager": True},
            {"iam:GetInstanceProfile", "iam:PassRole", "ssm:StartSession", "ssm:TerminateSession"},
        ),
        (
            "amazon-ebs",
            {"encrypted": True, "kmsKey": "alias/images"},
            {"ec2:CopyImage", *assets.catalog().permissions["amazon"]["key"]},
        ),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else str(value),
)
def test_a_wish_allows_what_it_needs_and_nothing_does_without_it(
    builder: str, wish: dict[str, Any], allowed: set[str]
) -> None:
    bare = actions(policy(builder, **BARE[builder]))
    assert actions(policy(builder, **(BARE[builder] | wish))) - bare == allowed


def test_amazon_is_held_to_its_regions_and_to_machines_of_the_image() -> None:
    document = policy("amazon-ebs")
    named = {statement["Sid"]: statement for statement in document["Statement"]}
    assert named["Describe"]["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
    # The tag that build.pkr.hcl's machine carries: <image>-<version>-<fingerprint>.
    assert named["Machine"]["Condition"] == {"StringLike": {"aws:ResourceTag/imagegen/image": ["demo-*"]}}
    assert [name for name, statement in named.items() if "*" in statement["Resource"]] == ["Describe"]
    assert "arn:aws:ec2:eu-central-1:*:subnet/subnet-0abc" in named["Run"]["Resource"]
    assert "arn:aws:ec2:eu-central-1:*:security-group/sg-0abc" in named["Run"]["Resource"]
    assert {arn.split(":")[3] for arn in named["Run"]["Resource"]} == {"eu-central-1"}


def test_amazon_s_keys_are_those_of_the_spec() -> None:
    named = {statement["Sid"]: statement for statement in policy("amazon-ebs")["Statement"]}
    assert named["Key1"]["Resource"] == ["arn:aws:kms:eu-central-1:*:key/*"]
    assert named["Key1"]["Condition"] == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/images"]}}
    assert named["Key2"]["Resource"] == ["arn:aws:kms:eu-west-1:123456789012:key/0a1b-2c"]
    assert "Condition" not in named["Key2"]


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("us-east-1", "aws")]
)
def test_amazon_s_partitions(region: str, partition: str) -> None:
    document = policy("amazon-ebs", **BARE["amazon-ebs"], region=region)
    assert {arn.split(":")[1] for arn in resources(document) if arn != "*"} == {partition}


def test_alicloud_is_held_to_its_regions_and_its_network() -> None:
    document = policy("alicloud-ecs", family=None, copyRegions=["cn-shanghai"])
    assert document["Version"] == "1"
    allowed = {action: statement["Resource"] for statement in document["Statement"] for action in statement["Action"]}
    assert allowed["ecs:CreateInstance"] == ["acs:ecs:cn-hangzhou:*:*"]
    assert allowed["ecs:CopyImage"] == ["acs:ecs:cn-hangzhou:*:*", "acs:ecs:cn-shanghai:*:*"]
    assert allowed["vpc:DescribeVSwitches"] == [
        "acs:vpc:cn-hangzhou:*:vpc/vpc-bp1abc",
        "acs:vpc:cn-hangzhou:*:vswitch/vsw-bp1abc",
    ]


def test_no_policy_for_what_is_not_built() -> None:
    assert not [path for path in folder_of(with_builder("qemu")) if path.startswith("policies/")]
    files = folder_of(with_builder("amazon-ebs"))
    assert [path for path in files if path.startswith("policies/")] == ["policies/aws-iam.json"]

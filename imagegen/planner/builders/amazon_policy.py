"""The least that the amazon-ebs builder's account must be allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imagegen.catalog import Permissions
from imagegen.frozen import dataclass
from imagegen.plan import PolicyPlan, StatementPlan
from imagegen.spec import AmazonBuilder

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """ARNs in one region; images and snapshots have no account in theirs."""

    name: str

    @property
    def partition(self) -> str:
        return next((each for start, each in _PARTITIONS.items() if self.name.startswith(start)), "aws")

    def arns(self, service: str, *what: str, account: str = "*") -> tuple[str, ...]:
        return tuple(f"arn:{self.partition}:{service}:{self.name}:{account}:{each}" for each in what)

    @property
    def machine(self) -> tuple[str, ...]:
        return self.arns("ec2", "instance/*", "volume/*")

    @property
    def images(self) -> tuple[str, ...]:
        return self.arns("ec2", "image/*", "snapshot/*", account="")


def plan_amazon_policy(builder: AmazonBuilder, image: str, region: str, permissions: Permissions) -> PolicyPlan:
    """A policy for the image of this name, in the regions that it is made in or copied to."""
    home, regions = _Region(name=region), tuple(_Region(name=each) for each in (region, *builder.copy_regions))

    def allow(name: str, resources: tuple[str, ...], conditions: Conditions | None = None) -> StatementPlan:
        return StatementPlan(
            name=name, actions=permissions[name.lower()], resources=resources, conditions=conditions or {}
        )

    images = tuple(arn for each in regions for arn in each.images)
    network = home.arns("ec2", "network-interface/*")
    place = home.arns("ec2", f"subnet/{builder.subnet}", f"security-group/{builder.security_group}")
    statements = [
        allow("Describe", ("*",), {"StringEquals": {"aws:RequestedRegion": tuple(each.name for each in regions)}}),
        allow("Run", (*home.machine, *network, *place, *home.images)),
        allow("Tag", (*home.machine, *network, *images)),
        allow("Machine", home.machine, {"StringLike": {"aws:ResourceTag/imagegen/image": (f"{image}-*",)}}),
        allow("Image", (*home.machine, *images)),
    ]
    if builder.encrypted or builder.copy_regions:
        statements.append(allow("Copy", images))
    if builder.share_accounts:
        statements.append(allow("Share", tuple(arn for arn in images if arn.endswith("snapshot/*"))))
    if builder.instance_profile:
        profile = f"instance-profile/{builder.instance_profile}"
        passed = {"StringEqualsIfExists": {"iam:PassedToService": ("ec2.amazonaws.com",)}}
        statements.append(
            allow("Profile", tuple(f"arn:{home.partition}:iam::*:{each}" for each in (profile, "role/*")), passed)
        )
    if builder.session_manager:
        document = home.arns("ssm", "document/AWS-StartPortForwardingSession", account="")
        sessions = home.arns("ssm", "session/${aws:username}-*")
        statements.append(allow("Session", (*home.machine[:1], *document, *sessions)))
    statements += [
        StatementPlan(name=name, actions=permissions["key"], resources=resources, conditions=conditions)
        for name, resources, conditions in _keys(builder, home)
    ]
    return PolicyPlan(file="policies/aws-iam.json", version="2012-10-17", named=True, statements=tuple(statements))


def _keys(builder: AmazonBuilder, home: _Region) -> Iterator[tuple[str, tuple[str, ...], Conditions]]:
    """An alias is no resource of a policy: it is a condition on the keys of its region."""
    keys = ({home.name: builder.kms_key} if builder.kms_key else {}) | dict(builder.copy_kms_keys)
    for number, (name, key) in enumerate(keys.items(), start=1):
        region = _Region(name=name)
        _, alias, after = key.rpartition("alias/")
        if alias:
            every = region.arns("kms", "key/*")
            yield f"Key{number}", every, {"ForAnyValue:StringEquals": {"kms:ResourceAliases": (f"alias/{after}",)}}
        else:
            yield f"Key{number}", (key,) if key.startswith("arn:") else region.arns("kms", f"key/{key}"), {}

"""Rules about what Packer's builders cannot do, or do badly, together."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.frozen import dataclass
from imagegen.spec import AlicloudBuilder, AmazonBuilder, Cluster, Image

_REGIONAL = {"alicloud": "alicloud-ecs", "amazon": "amazon-ebs"}
_CLOUDS = {
    "alicloud": "alicloud-ecs",
    "amazon": "amazon-ebs",
    "googlecompute": "googlecompute",
    "azure": "azure-arm",
    "openstack": "openstack",
    "vsphere": "vsphere-clone",
}
_SOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "alicloud": (("sourceImage", "source_image"), ("sourceFamily", "source_family")),
    "amazon": (("sourceImage", "source_image"), ("sourceName", "source_name")),
    "googlecompute": (("sourceImage", "source_image"), ("sourceFamily", "source_family")),
    "openstack": (("sourceImage", "source_image"), ("sourceName", "source_name")),
    "vsphere": (("cluster", "cluster"), ("host", "host")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """An image, and where it is described."""

    image: Image
    path: Path
    document: str

    def finding(self, code: str, message: str, hint: str, *path: str, warning: bool = False) -> Diagnostic:
        return Diagnostic(
            code=code,
            message=message,
            hint=hint,
            severity=Severity.WARNING if warning else Severity.ERROR,
            path=(*self.path, *path),
            image=self.document,
            on_key=True,
        )


def check_builder_sources(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG270: a builder whose base, or whose place, is named twice or not at all."""
    for place in _places(cluster):
        for key, choices in _SOURCES.items():
            builder = getattr(place.image, key)
            given = [name for name, field in choices if builder and getattr(builder, field)]
            if builder and len(given) != 1:
                both = " and ".join(f"`{name}`" for name, _ in choices)
                message = f"`{key}` has {both}" if given else f"`{key}` has neither {both.replace(' and ', ' nor ')}"
                yield place.finding("IG270", message, "give it one of the two", key)
        amazon = place.image.amazon
        if amazon and bool(amazon.source_name) != bool(amazon.source_owner):
            message = "`sourceName` and `sourceOwner` go together: anybody may give an AMI any name"
            yield place.finding("IG270", message, "the owner is an account's number, or `amazon`", "amazon")


def check_regions(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG271: a builder without a region, or one that copies its image to where it is."""
    own = catalog.providers[cluster.provider.type].builder
    for place in _places(cluster):
        for key, builder_type in _REGIONAL.items():
            builder: AlicloudBuilder | AmazonBuilder | None = getattr(place.image, key)
            if builder is None or builder_type != own:
                continue
            region = builder.region or cluster.provider.region
            if region is None:
                yield place.finding(
                    "IG271", f"nothing says in which region `{key}` builds", "give provider.region", key
                )
            elif region in builder.copy_regions:
                message = f"`copyRegions` has {region}, where the image is made"
                yield place.finding("IG271", message, "leave it out: the image is there", key, "copyRegions")


def check_exclusions(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG272: wishes that a builder cannot grant together."""
    for place in _places(cluster):
        if place.image.alicloud:
            yield from _alicloud_exclusions(place, place.image.alicloud)
        if place.image.amazon:
            yield from _amazon_exclusions(place, place.image.amazon)


def check_copies(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG273: copies that lack what the image has."""
    for place in _places(cluster):
        builder = place.image.alicloud
        lacking = [
            name for name, given in (("tags", place.image.tags), ("family", builder and builder.family)) if given
        ]
        if builder and builder.copy_regions and lacking and not builder.encrypted:
            message = (
                f"alicloud-ecs gives the copies in {', '.join(builder.copy_regions)} no {' and no '.join(lacking)}"
            )
            hint = "there, name the image by its id, or tag the copies yourself"
            yield place.finding("IG273", message, hint, "alicloud", "copyRegions", warning=True)


def check_builder_of_the_provider(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG274: settings for another cloud's builder, in the image of this cluster alone."""
    if cluster.image is None:
        return
    own = catalog.providers[cluster.provider.type].builder
    for key, builder_type in _CLOUDS.items():
        if getattr(cluster.image, key) is not None and builder_type != own:
            yield Diagnostic(
                code="IG274",
                message=f"`{key}` builds nothing here: on {cluster.provider.type} its image would find no user-data",
                hint="leave it out, or make an Image document that clusters of both clouds refer to",
                severity=Severity.WARNING,
                path=("image", key),
                on_key=True,
            )


def _places(cluster: Cluster) -> Iterator[_Place]:
    for name, image in cluster.known_images.items():
        inline = name not in cluster.images
        yield _Place(image=image, path=("image",) if inline else (), document="" if inline else name)


def _alicloud_exclusions(place: _Place, builder: AlicloudBuilder) -> Iterator[Diagnostic]:
    """An encrypted image is a copy (the plugin's step_region_copy_image.go), by the service's own key."""
    if not builder.encrypted:
        return
    lost = {
        "family": (bool(builder.family), "is in no family"),
        "shareAccounts": (bool(builder.share_accounts), "cannot be shared: its key is the service's own"),
    }
    for name, (given, fault) in lost.items():
        if given:
            message = f"an encrypted image of alicloud-ecs is a copy, which {fault}"
            yield place.finding("IG272", message, "leave out one of the two", "alicloud", name)
    if place.image.tags:
        message = "an encrypted image of alicloud-ecs is a copy, which has no tags"
        yield place.finding("IG272", message, "leave out one of the two", "tags")


def _amazon_exclusions(place: _Place, builder: AmazonBuilder) -> Iterator[Diagnostic]:
    """What ami_config.go and run_config.go refuse, and what AWS itself does."""
    shares = builder.share_accounts or builder.share_organizations
    sharing = "shareAccounts" if builder.share_accounts else "shareOrganizations"
    own_key = "an AMI that the account's own key encrypts cannot be shared"
    faults = (
        (sharing, own_key, "give `kmsKey`", bool(shares and builder.encrypted and not builder.kms_key)),
        (
            sharing,
            f"{own_key}: nor can its copies",
            "give `copyKmsKeys`, a key for each of `copyRegions`",
            bool(shares and builder.encrypted and builder.copy_regions and not builder.copy_kms_keys),
        ),
        (
            "copyKmsKeys",
            "`copyKmsKeys` and `copyRegions` name different regions",
            "give a key for each region, or none",
            bool(builder.copy_kms_keys) and set(builder.copy_kms_keys) != set(builder.copy_regions),
        ),
        (
            "encrypted",
            "a KMS key for an AMI that is not encrypted",
            "leave out `encrypted: false`, or the keys",
            not builder.encrypted and bool(builder.kms_key or builder.copy_kms_keys),
        ),
        (
            "sessionManager",
            "the session manager reaches no machine without an instance profile",
            "give `instanceProfile`",
            builder.session_manager and not builder.instance_profile,
        ),
    )
    for name, message, hint, broken in faults:
        if broken:
            yield place.finding("IG272", message, hint, "amazon", name)

"""Packer's builders, as a spec sets them: a dataclass each, named by the spec's own key."""

from collections.abc import Mapping
from dataclasses import field

from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QemuBuilder:
    """Packer's qemu builder."""

    source: str | None = None
    checksum: str | None = None
    cpus: int = 2
    cpu_model: str | None = None
    memory_mib: int = 2048
    disk_gib: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AlicloudBuilder:
    """Packer's alicloud-ecs builder."""

    instance_type: str
    vpc: str
    vswitch: str
    security_group: str
    region: str | None = None
    source_image: str | None = None
    source_family: str | None = None
    private_address: bool = True
    disk_category: str = "cloud_essd"
    disk_gib: int = 20
    family: str | None = None
    boot_mode: str | None = None
    resource_group: str | None = None
    encrypted: bool = False
    copy_regions: tuple[str, ...] = ()
    share_accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonBuilder:
    """Packer's amazon-ebs builder."""

    instance_type: str
    subnet: str
    security_group: str
    region: str | None = None
    source_image: str | None = None
    source_name: str | None = None
    source_owner: str | None = None
    private_address: bool = True
    session_manager: bool = False
    instance_profile: str | None = None
    root_device: str = "/dev/xvda"
    disk_gib: int = 20
    encrypted: bool = True
    kms_key: str | None = None
    copy_regions: tuple[str, ...] = ()
    copy_kms_keys: Mapping[str, str] = field(default_factory=dict)
    share_accounts: tuple[str, ...] = ()
    share_organizations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GooglecomputeBuilder:
    """Packer's googlecompute builder."""

    project: str
    zone: str
    subnetwork: str
    network_project: str | None = None
    network_tags: tuple[str, ...] = ()
    source_image: str | None = None
    source_family: str | None = None
    source_project: str | None = None
    machine_type: str = "e2-standard-2"
    private_address: bool = True
    disk_gib: int = 20
    disk_type: str = "pd-balanced"
    family: str | None = None
    storage_location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceImage:
    """An image of Azure's marketplace."""

    publisher: str
    offer: str
    sku: str
    version: str = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureBuilder:
    """Packer's azure-arm builder."""

    source: MarketplaceImage
    build_resource_group: str
    image_resource_group: str
    virtual_network: str
    subnet: str
    network_resource_group: str | None = None
    vm_size: str = "Standard_D2s_v5"
    private_address: bool = True
    disk_gib: int = 30
    storage_type: str = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenstackBuilder:
    """Packer's openstack builder."""

    flavor: str
    security_groups: tuple[str, ...]
    source_image: str | None = None
    source_name: str | None = None
    networks: tuple[str, ...] = ()
    floating_ip_network: str | None = None
    availability_zone: str | None = None
    min_disk_gib: int = 10
    share_projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VsphereBuilder:
    """Packer's vsphere-clone builder."""

    template: str
    server: str | None = None
    datacenter: str | None = None
    cluster: str | None = None
    host: str | None = None
    resource_pool: str | None = None
    datastore: str | None = None
    folder: str | None = None
    network: str | None = None
    cpus: int = 2
    memory_mib: int = 2048
    disk_gib: int = 20

"""What a schema cannot say: rules over the whole spec, a function each, in one tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.rules.afterwards import check_snapshots
from imagegen.rules.builders import (
    check_builder_of_the_provider,
    check_builder_sources,
    check_copies,
    check_exclusions,
    check_regions,
)
from imagegen.rules.clouds import (
    check_metadata,
    check_metadata_access,
    check_metadata_addresses,
    check_scaling_from_zero,
)
from imagegen.rules.compatibility import check_cgroup, check_containerd, check_kernel, check_proxy_mode
from imagegen.rules.credentials import check_credential_providers
from imagegen.rules.disks import check_hidden_files, check_mounts
from imagegen.rules.files import check_file_roles, check_managed_files
from imagegen.rules.flags import check_component_flags, check_one_machine
from imagegen.rules.gates import check_gates
from imagegen.rules.high_availability import check_hairpin, check_keepalived, check_kube_vip, check_moving_address
from imagegen.rules.hooks import check_hook_roles
from imagegen.rules.images import check_image_choice, check_references, check_skew
from imagegen.rules.kubernetes import (
    check_kubelet_flags,
    check_labels,
    check_renewal,
    check_token_ttl,
    check_version,
)
from imagegen.rules.network import check_endpoint, check_overlaps, check_reserved
from imagegen.rules.nodes import (
    check_addresses,
    check_control_plane,
    check_control_plane_count,
    check_names,
    check_node_names,
    check_pool_names,
    check_pool_replicas,
    check_replicas,
    check_scaling,
)
from imagegen.rules.preflight import check_ignored, check_sysctls
from imagegen.rules.proxies import check_proxy_files
from imagegen.rules.ranges import check_calico, check_families, check_flannel, check_pod_range, check_sizes, check_vpc
from imagegen.rules.serving import check_serving_certificates
from imagegen.rules.shared import check_first_node
from imagegen.rules.sources import check_base, check_sources
from imagegen.rules.stock import check_bundle_address, check_stock_settings, check_stock_source, check_stock_system
from imagegen.spec import Cluster

Rule = Callable[[Cluster, Catalog], Iterator[Diagnostic]]

RULES: tuple[Rule, ...] = (
    check_version,
    check_image_choice,
    check_references,
    check_skew,
    check_proxy_mode,
    check_kubelet_flags,
    check_labels,
    check_token_ttl,
    check_renewal,
    check_overlaps,
    check_reserved,
    check_pod_range,
    check_endpoint,
    check_pool_names,
    check_names,
    check_node_names,
    check_addresses,
    check_control_plane,
    check_first_node,
    check_hairpin,
    check_kube_vip,
    check_keepalived,
    check_moving_address,
    check_snapshots,
    check_replicas,
    check_pool_replicas,
    check_scaling,
    check_control_plane_count,
    check_managed_files,
    check_file_roles,
    check_mounts,
    check_hidden_files,
    check_hook_roles,
    check_cgroup,
    check_containerd,
    check_kernel,
    check_gates,
    check_component_flags,
    check_one_machine,
    check_sizes,
    check_families,
    check_flannel,
    check_calico,
    check_vpc,
    check_metadata,
    check_metadata_access,
    check_metadata_addresses,
    check_scaling_from_zero,
    check_proxy_files,
    check_ignored,
    check_sysctls,
    check_credential_providers,
    check_serving_certificates,
    check_bundle_address,
    check_stock_source,
    check_stock_settings,
    check_stock_system,
    check_sources,
    check_builder_sources,
    check_regions,
    check_exclusions,
    check_copies,
    check_builder_of_the_provider,
    check_base,
)


def check_rules(cluster: Cluster, catalog: Catalog) -> tuple[Diagnostic, ...]:
    """All findings of all rules (codes IG201 and up)."""
    return tuple(finding for rule in RULES for finding in rule(cluster, catalog))

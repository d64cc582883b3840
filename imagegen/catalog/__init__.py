"""Facts about versions, systems and providers, as data with their sources in the TOML files beside this."""

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from imagegen.catalog.components import (
    ComponentFacts,
    FeatureGates,
    OneMachine,
    RangeFacts,
    is_older,
    parse_components,
    parse_gates,
    parse_ranges,
    parts,
)
from imagegen.catalog.symptoms import SymptomTables, parse_symptoms
from imagegen.catalog.systems import FamilyFacts, SystemFacts, parse_families, parse_systems
from imagegen.catalog.unread import Unread
from imagegen.catalog.vendors import VendorFacts, parse_vendors
from imagegen.frozen import dataclass

# The group that the API server lets do everything, before anything is bound.
_MASTERS = "system:masters"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesFacts:
    """What a Kubernetes minor fixes."""

    newest: str
    kubeadm_api: str
    pause: str
    admin_group: str
    default_proxy_mode: str
    ipvs_deprecated: bool
    supported: bool
    proxy_modes: tuple[str, ...]
    fail_cgroup_v1: bool
    kernels: tuple[str, ...]
    kernel_error: bool
    containerd: tuple[str, ...]
    ignore_all: bool
    credential_provider_api: str
    token_attributes: bool
    token_attributes_gate: str | None = None
    proxy_mode_gates: Mapping[str, str] = field(default_factory=dict)

    @property
    def init_kubeconfig(self) -> str:
        """What has all rights while `kubeadm init` runs: super-admin.conf where admin.conf's group is bound late."""
        return "/etc/kubernetes/admin.conf" if self.admin_group == _MASTERS else "/etc/kubernetes/super-admin.conf"

    def takes_kernel(self, kernel: str) -> bool:
        """Whether kubeadm's SystemVerification takes it; `4.19+` is from there on, `5.4` that branch alone."""
        return any(
            not is_older(kernel, bound[:-1]) if bound.endswith("+") else parts(kernel)[:2] == parts(bound)
            for bound in self.kernels
        )

    def least_containerd(self, version: str) -> str | None:
        """What this containerd would at least have to be; None where it is new enough, or nothing is known."""
        branch = [bound for bound in self.containerd if parts(bound)[:2] == parts(version)[:2]]
        newer = bool(self.containerd) and not is_older(version, self.containerd[-1])
        bound = branch[0] if branch else self.containerd[-1] if self.containerd and not newer else None
        return bound if bound and is_older(version, bound) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """How user-data reaches a machine; `limit` in bytes before base64, 0 for none."""

    limit: int
    encoding: str
    gzip: bool
    datasources: tuple[str, ...]
    builder: str
    reserved: tuple[IPv4Network | IPv6Network, ...]
    time_servers: tuple[str, ...]
    http_tokens: str
    metadata: tuple[IPv4Address | IPv6Address, ...] = ()
    balancer_hairpin: bool | None = None
    moves_addresses: bool | None = None
    node_template_taint: str | None = None

    def tokens_too_new_for(self, cloud_init: str | None) -> bool:
        """Whether this cloud-init is known to be unable to ask the metadata service for a token."""
        return cloud_init is not None and bool(self.http_tokens) and is_older(cloud_init, self.http_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What every image holds; `config_versions`: the newest that containerd reads, by its own major version."""

    sysctls: Mapping[str, str]
    modules: tuple[str, ...]
    enabled_units: tuple[str, ...]
    kubernetes_binaries: tuple[str, ...]
    runtime_binaries: tuple[str, ...]
    cni_plugins: tuple[str, ...]
    settings: Mapping[str, str]
    containerd: str
    config_versions: Mapping[str, int]
    flannel_image: str
    flannel_plugin_image: str
    kube_vip_image: str
    keepalived_packages: tuple[str, ...]
    keepalived_units: tuple[str, ...]
    calico_version: str
    calico_manifest: str
    calico_images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletFacts:
    """What a kubelet refuses; `removed_flags` maps a flag to the minor that dropped it."""

    removed_flags: Mapping[str, str]
    reserved_labels: tuple[str, ...]
    allowed_label_prefixes: tuple[str, ...]
    allowed_labels: frozenset[str]
    one_machine: OneMachine

    def refuses_label(self, key: str) -> bool:
        """Whether a kubelet may not give itself this label."""
        prefix = key.rpartition("/")[0]
        return (
            _is_within(prefix, self.reserved_labels)
            and not _is_within(prefix, self.allowed_label_prefixes)
            and key not in self.allowed_labels
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticPage:
    """What a diagnostic means, and what to do about it."""

    title: str
    help: str


Permissions = Mapping[str, tuple[str, ...]]
"""Actions in a cloud's policy language, by what they are for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All facts."""

    kubernetes: Mapping[str, KubernetesFacts]
    systems: Mapping[str, SystemFacts]
    families: Mapping[str, FamilyFacts]
    vendors: VendorFacts
    providers: Mapping[str, ProviderFacts]
    image: ImageFacts
    kubelet: KubeletFacts
    components: Mapping[str, ComponentFacts]
    feature_gates: FeatureGates
    ranges: RangeFacts
    preflight_checks: tuple[str, ...]
    ports: Mapping[int, str]
    permissions: Mapping[str, Permissions]
    symptom_tables: Mapping[str, Any]
    programs: Mapping[str, str]
    diagnostics: Mapping[str, DiagnosticPage]

    def family_of(self, os: str) -> FamilyFacts:
        """What the system's package manager decides."""
        return self.families[self.systems[os].family]

    @property
    def symptoms(self) -> SymptomTables:
        """What lines of a node's log mean: only `diagnose` asks."""
        return parse_symptoms(self.symptom_tables)

    @property
    def builders(self) -> tuple[str, ...]:
        """Packer's builders that there are settings for."""
        return tuple(facts.builder for facts in self.providers.values())

    def kubernetes_facts(self, version: str) -> KubernetesFacts | None:
        """The facts of a version's minor; None where the catalog does not know it."""
        return self.kubernetes.get(version.rpartition(".")[0])

    def require_kubernetes(self, version: str) -> KubernetesFacts:
        """The same for a version that passed the rules; `ValueError` for another."""
        facts = self.kubernetes_facts(version)
        if facts is None:
            raise ValueError(f"Kubernetes {version} is not in the catalog")
        return facts

    def credential_provider_apis(self, version: str) -> tuple[str, ...]:
        """What a kubelet of this version may speak with its credential plugins, oldest first."""
        own = self.kubernetes_facts(version)
        known = [facts.credential_provider_api for facts in self.kubernetes.values()]
        reached = known[: known.index(own.credential_provider_api) + 1] if own else []
        return tuple(dict.fromkeys(f"credentialprovider.kubelet.k8s.io/{api}" for api in reached))

    @property
    def newest(self) -> str:
        """The newest known version of Kubernetes."""
        return self.kubernetes[self.minors[-1]].newest

    def removed_kubelet_flags(self, version: str) -> dict[str, str]:
        """The flags that a kubelet of this version exits on, with the minor that dropped each."""
        return _removed(self.kubelet.removed_flags, version)

    def removed_flags(self, component: str, version: str) -> dict[str, str]:
        """The flags that a control-plane component of this version exits on, with the minor that dropped each."""
        return _removed(self.components[component].removed_flags, version)

    @property
    def minors(self) -> tuple[str, ...]:
        """Every known minor, oldest first."""
        return tuple(self.kubernetes)


def _is_within(prefix: str, domains: tuple[str, ...]) -> bool:
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)


def _removed(flags: Mapping[str, str], version: str) -> dict[str, str]:
    return {flag: since for flag, since in flags.items() if not is_older(version, since)}


_SELDOM = ("diagnostics", "feature_gates", "permissions", "symptoms")
_LISTS = ("proxy_modes", "kernels", "containerd")


def _kubernetes(facts: dict[str, Any]) -> KubernetesFacts:
    return KubernetesFacts(**(facts | {key: tuple(facts[key]) for key in _LISTS}))


def _permissions(groups: Mapping[str, list[str]]) -> Permissions:
    return {purpose: tuple(actions) for purpose, actions in groups.items()}


def parse_catalog(texts: Mapping[str, str]) -> Catalog:
    """Make the catalog of its TOML files, given by name without the suffix."""
    # What only a few specs, or a finding, need to be looked up is most of the text: it is read then.
    tables = {name: tomllib.loads(text) for name, text in texts.items() if name not in _SELDOM}
    seldom = {name: Unread(partial(tomllib.loads, texts[name])) for name in _SELDOM}
    providers = {
        name: ProviderFacts(
            **{
                **facts,
                "datasources": tuple(facts["datasources"]),
                "time_servers": tuple(facts["time_servers"]),
                "reserved": tuple(ip_network(cidr) for cidr in facts["reserved"]),
                "metadata": tuple(ip_address(address) for address in facts["metadata"]),
            }
        )
        for name, facts in tables["providers"].items()
    }
    image = tables["image"]
    one = tables["kubelet"]["one_machine"]
    return Catalog(
        kubernetes={minor: _kubernetes(facts) for minor, facts in tables["kubernetes"].items()},
        systems=parse_systems(tables["systems"]),
        families=parse_families(tables["families"]),
        vendors=parse_vendors(tables["vendors"]),
        providers=providers,
        image=ImageFacts(
            sysctls=image["sysctls"],
            modules=(*image["modules"]["base"], *image["modules"]["ipvs"]),
            enabled_units=tuple(image["units"]["enabled"]),
            kubernetes_binaries=tuple(image["binaries"]["kubernetes"]),
            runtime_binaries=tuple(image["binaries"]["runtime"]),
            cni_plugins=tuple(image["binaries"]["cni"]),
            settings=image["settings"],
            containerd=image["runtime"]["containerd"],
            config_versions=image["runtime"]["config_versions"],
            flannel_image=image["flannel"]["image"],
            flannel_plugin_image=image["flannel"]["plugin_image"],
            kube_vip_image=image["kube_vip"]["image"],
            keepalived_packages=tuple(image["keepalived"]["packages"]),
            keepalived_units=tuple(image["keepalived"]["units"]),
            calico_version=image["calico"]["version"],
            calico_manifest=image["calico"]["manifest"],
            calico_images=tuple(image["calico"]["images"]),
        ),
        kubelet=KubeletFacts(
            removed_flags=tables["kubelet"]["removed_flags"],
            reserved_labels=tuple(tables["kubelet"]["labels"]["reserved"]),
            allowed_label_prefixes=tuple(tables["kubelet"]["labels"]["allowed_prefixes"]),
            allowed_labels=frozenset(tables["kubelet"]["labels"]["allowed"]),
            one_machine=OneMachine(
                flags=tuple(one["flags"]), fields=tuple(one["fields"]), harmless=frozenset(one["harmless"])
            ),
        ),
        components=parse_components(tables["components"]),
        feature_gates=parse_gates(seldom["feature_gates"]),
        ranges=parse_ranges(tables["ranges"]),
        programs=tables["programs"],
        preflight_checks=tuple(tables["kubeadm"]["preflight"]["checks"]),
        ports={int(port): listener for port, listener in tables["kubeadm"]["ports"].items()},
        permissions=Unread(lambda: {cloud: _permissions(groups) for cloud, groups in seldom["permissions"].items()}),
        symptom_tables=seldom["symptoms"],
        diagnostics=Unread(
            lambda: {code: DiagnosticPage(**page) for code, page in seldom["diagnostics"].items()},
        ),
    )

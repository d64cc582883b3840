"""Facts about versions, systems and providers, as data with their sources in the TOML files beside this."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """What an operating system release fixes."""

    kernel: str
    cloud_init: str
    nftables_mode: bool
    genericcloud: str
    genericcloud_checksum: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What every image holds."""

    sysctls: Mapping[str, str]
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    enabled_units: tuple[str, ...]
    masked_units: tuple[str, ...]
    kubernetes_binaries: tuple[str, ...]
    runtime_binaries: tuple[str, ...]
    cni_plugins: tuple[str, ...]
    settings: Mapping[str, str]
    flannel_image: str
    flannel_plugin_image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletFacts:
    """What a kubelet refuses; `removed_flags` maps a flag to the minor that dropped it."""

    removed_flags: Mapping[str, str]
    reserved_labels: tuple[str, ...]
    allowed_label_prefixes: tuple[str, ...]
    allowed_labels: frozenset[str]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All facts."""

    kubernetes: Mapping[str, KubernetesFacts]
    systems: Mapping[str, SystemFacts]
    providers: Mapping[str, ProviderFacts]
    image: ImageFacts
    kubelet: KubeletFacts
    diagnostics: Mapping[str, DiagnosticPage]

    def kubernetes_facts(self, version: str) -> KubernetesFacts | None:
        """The facts of a version's minor; None where the catalog does not know it."""
        return self.kubernetes.get(version.rpartition(".")[0])

    def require_kubernetes(self, version: str) -> KubernetesFacts:
        """The same for a version that passed the rules; `ValueError` for another."""
        facts = self.kubernetes_facts(version)
        if facts is None:
            raise ValueError(f"Kubernetes {version} is not in the catalog")
        return facts

    @property
    def newest(self) -> str:
        """The newest known version of Kubernetes."""
        return self.kubernetes[self.minors[-1]].newest

    def removed_kubelet_flags(self, version: str) -> dict[str, str]:
        """The flags that a kubelet of this version exits on, with the minor that dropped each."""
        own = self.minor(version)
        return {flag: since for flag, since in self.kubelet.removed_flags.items() if self.minor(since) <= own}

    @staticmethod
    def minor(version: str) -> tuple[int, int]:
        """Major and minor of a version, to be compared."""
        major, minor, *_ = version.split(".")
        return int(major), int(minor)

    @property
    def minors(self) -> tuple[str, ...]:
        """Every known minor, oldest first."""
        return tuple(self.kubernetes)


def _is_within(prefix: str, domains: tuple[str, ...]) -> bool:
    return any(prefix == domain or prefix.endswith(f".{domain}") for domain in domains)


def parse_catalog(texts: Mapping[str, str]) -> Catalog:
    """Make the catalog of its TOML files, given by name without the suffix."""
    tables = {name: tomllib.loads(text) for name, text in texts.items()}
    providers = {
        name: ProviderFacts(
            **{
                **facts,
                "datasources": tuple(facts["datasources"]),
                "time_servers": tuple(facts["time_servers"]),
                "reserved": tuple(ip_network(cidr) for cidr in facts["reserved"]),
            }
        )
        for name, facts in tables["providers"].items()
    }
    image = tables["image"]
    return Catalog(
        kubernetes={minor: KubernetesFacts(**facts) for minor, facts in tables["kubernetes"].items()},
        systems={name: SystemFacts(**facts) for name, facts in tables["systems"].items()},
        providers=providers,
        image=ImageFacts(
            sysctls=image["sysctls"],
            modules=(*image["modules"]["base"], *image["modules"]["ipvs"]),
            packages=tuple(image["packages"]["debian"]),
            enabled_units=tuple(image["units"]["enabled"]),
            masked_units=tuple(image["units"]["masked"]),
            kubernetes_binaries=tuple(image["binaries"]["kubernetes"]),
            runtime_binaries=tuple(image["binaries"]["runtime"]),
            cni_plugins=tuple(image["binaries"]["cni"]),
            settings=image["settings"],
            flannel_image=image["flannel"]["image"],
            flannel_plugin_image=image["flannel"]["plugin_image"],
        ),
        kubelet=KubeletFacts(
            removed_flags=tables["kubelet"]["removed_flags"],
            reserved_labels=tuple(tables["kubelet"]["labels"]["reserved"]),
            allowed_label_prefixes=tuple(tables["kubelet"]["labels"]["allowed_prefixes"]),
            allowed_labels=frozenset(tables["kubelet"]["labels"]["allowed"]),
        ),
        diagnostics={code: DiagnosticPage(**page) for code, page in tables["diagnostics"].items()},
    )

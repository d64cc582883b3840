"""Facts about versions, systems and providers, as data with their sources in the TOML files beside this."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesFacts:
    """What a Kubernetes minor fixes."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What every image holds."""

    sysctls: Mapping[str, str]
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    enabled_units: tuple[str, ...]
    masked_units: tuple[str, ...]
    flannel_image: str
    flannel_plugin_image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All facts."""

    kubernetes: Mapping[str, KubernetesFacts]
    systems: Mapping[str, SystemFacts]
    providers: Mapping[str, ProviderFacts]
    image: ImageFacts

    def kubernetes_facts(self, version: str) -> KubernetesFacts | None:
        """The facts of a version's minor; None where the catalog does not know it."""
        return self.kubernetes.get(version.rpartition(".")[0])

    @property
    def minors(self) -> tuple[str, ...]:
        """Every known minor, oldest first."""
        return tuple(self.kubernetes)


def parse_catalog(texts: Mapping[str, str]) -> Catalog:
    """Make the catalog of its TOML files, given by name without the suffix."""
    tables = {name: tomllib.loads(text) for name, text in texts.items()}
    providers = {
        name: ProviderFacts(**{**facts, "datasources": tuple(facts["datasources"])})
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
            flannel_image=image["flannel"]["image"],
            flannel_plugin_image=image["flannel"]["plugin_image"],
        ),
    )

"""The kubelet's credential providers: its CredentialProviderConfig and the flags that name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagegen.catalog import KubernetesFacts
from imagegen.plan import FilePlan
from imagegen.spec import Cluster, CredentialProvider

# `kubeadm reset` empties /var/lib/kubelet; what stands beside the PKI stays.
CREDENTIAL_PROVIDERS = "/etc/kubernetes/credential-provider-config.yaml"


def credential_files(cluster: Cluster, facts: KubernetesFacts) -> tuple[FilePlan, ...]:
    """The configuration of the providers, if there are any."""
    given = cluster.kubelet.credential_providers
    if given is None:
        return ()
    content = {
        "apiVersion": f"kubelet.config.k8s.io/{facts.credential_provider_api}",
        "kind": "CredentialProviderConfig",
        "providers": [_provider(provider) for provider in given.providers],
    }
    return (FilePlan(path=CREDENTIAL_PROVIDERS, content=content, mode="0600"),)


def credential_flags(cluster: Cluster) -> dict[str, str]:
    """The kubelet's flags that name the configuration and the folder of the programs."""
    given = cluster.kubelet.credential_providers
    if given is None:
        return {}
    return {
        "image-credential-provider-config": CREDENTIAL_PROVIDERS,
        "image-credential-provider-bin-dir": given.bin_dir,
    }


def _provider(provider: CredentialProvider) -> Mapping[str, Any]:
    optional = {
        "args": list(provider.args),
        "env": [{"name": variable.name, "value": variable.value} for variable in provider.env],
        "tokenAttributes": dict(provider.token_attributes or {}),
    }
    return {
        "name": provider.name,
        "matchImages": list(provider.match_images),
        "defaultCacheDuration": provider.default_cache_duration,
        "apiVersion": provider.api_version,
        **{key: value for key, value in optional.items() if value},
    }

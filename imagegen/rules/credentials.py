"""Rules about the kubelet's credential providers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster, CredentialProvider, CredentialProviders

_PATH: Path = ("kubelet", "credentialProviders")
_FLAGS = ("image-credential-provider-config", "image-credential-provider-bin-dir")
# What `kubeadm reset` or a boot empties.
_EMPTIED = ("/var/lib/kubelet", "/etc/kubernetes/manifests", "/etc/kubernetes/pki", "/run")


def check_credential_providers(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG260: credential providers that the kubelet refuses. IG261: a program that it could not run."""
    given = cluster.kubelet.credential_providers
    if given is None:
        return
    for flag in _FLAGS:
        if flag in cluster.kubelet.extra_args:
            message = f"--{flag} is what kubelet.credentialProviders sets"
            yield _refused(message, ("kubelet", "extraArgs", flag), on_key=True, hint="leave it out")
    emptied = [folder for folder in _EMPTIED if PurePosixPath(given.bin_dir).is_relative_to(folder)]
    if emptied:
        message = f"what lies in {given.bin_dir} goes with the next `kubeadm reset` or boot"
        yield _refused(message, (*_PATH, "binDir"), hint=f"take a folder that is not below {emptied[0]}")
    seen: set[str] = set()
    for number, provider in enumerate(given.providers):
        path: Path = (*_PATH, "providers", number)
        if provider.name in seen:
            yield _refused(f"two credential providers are named `{provider.name}`", (*path, "name"))
        seen.add(provider.name)
        yield from _versions(cluster, catalog, provider, path)
    yield from _programs(cluster, given)


def _versions(cluster: Cluster, catalog: Catalog, provider: CredentialProvider, path: Path) -> Iterator[Diagnostic]:
    facts, version = catalog.kubernetes_facts(cluster.kubernetes.version), cluster.kubernetes.version
    if facts is None:
        return
    known = catalog.credential_provider_apis(version)
    if provider.api_version and provider.api_version not in known:
        message = f"the kubelet of Kubernetes {version} does not speak {provider.api_version} with its plugins"
        yield _refused(message, (*path, "apiVersion"), hint=f"it speaks {', '.join(known)}")
    gates, gate = cluster.kubelet.config.get("featureGates"), facts.token_attributes_gate
    opened = facts.token_attributes or (gate and isinstance(gates, dict) and gates.get(gate) is True)
    if (
        provider.token_attributes is not None
        and facts.token_attributes
        and "cacheType" not in provider.token_attributes
    ):
        message = f"tokenAttributes of `{provider.name}` need a cacheType"
        yield _refused(message, (*path, "tokenAttributes"), on_key=True, hint="Token, or ServiceAccount")
    if provider.token_attributes is not None and not opened:
        hint = f"it needs the feature gate {gate}" if gate else "leave it out"
        message = f"the kubelet of Kubernetes {version} gives its plugins no service account tokens"
        yield _refused(message, (*path, "tokenAttributes"), on_key=True, hint=hint)


def _programs(cluster: Cluster, given: CredentialProviders) -> Iterator[Diagnostic]:
    programs = {f"{given.bin_dir}/{provider.name}" for provider in given.providers}
    for number, file in enumerate(cluster.files):
        if file.path in programs and not int(file.permissions, 8) & 0o100:
            yield Diagnostic(
                code="IG261",
                message=f"`{file.path}` is a credential provider, and its mode {file.permissions} lets nobody run it",
                hint='permissions: "0755"',
                path=("files", number, "path"),
            )


def _refused(message: str, path: Path, *, on_key: bool = False, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code="IG260", message=message, hint=hint, path=path, on_key=on_key)

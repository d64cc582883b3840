"""Rules about the certificates that kubelets serve with."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster

_CONFIG: Path = ("kubelet", "config")
_BOOTSTRAP = "serverTLSBootstrap"
# With a certificate of its own a kubelet asks for none (its configuration's documentation of tlsCertFile).
_OWN = {"tlsCertFile": _CONFIG, "tls-cert-file": ("kubelet", "extraArgs")}


def check_serving_certificates(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG286: serving certificates that nobody approves, or that no kubelet asks for."""
    asked = cluster.kubelet.config.get(_BOOTSTRAP)
    if cluster.kubelet.serving_certificates is None:
        if asked:
            message = "kubelets ask for serving certificates, and nothing says who approves them"
            hint = "say it, and leave this out: kubelet.servingCertificates: {approver: imagegen}, or external"
            yield _refused(message, hint, (*_CONFIG, _BOOTSTRAP))
        return
    if asked is False:
        message = "with `serverTLSBootstrap: false` no kubelet asks for a serving certificate"
        yield _refused(message, "leave it out, or kubelet.servingCertificates", (*_CONFIG, _BOOTSTRAP))
    given = {"tlsCertFile": cluster.kubelet.config, "tls-cert-file": cluster.kubelet.extra_args}
    for key, place in _OWN.items():
        if given[key].get(key):
            message = f"with `{key}` a kubelet serves with that, and asks for no certificate"
            yield _refused(message, "leave it out, or kubelet.servingCertificates", (*place, key))
    if cluster.control_plane.existing:
        message = "the control plane that exists tells kubelets how they serve, and runs no approver of ours"
        hint = f"leave it out; its ConfigMap kubelet-config has `{_BOOTSTRAP}`"
        yield _refused(message, hint, ("kubelet", "servingCertificates"))


def _refused(message: str, hint: str, path: Path) -> Diagnostic:
    return Diagnostic(code="IG286", message=message, hint=hint, path=path, on_key=True)

"""An inventory as a bake writes it, in short."""

from __future__ import annotations

from typing import Any

FINGERPRINT = "ab" * 32


def inventory(**changes: Any) -> dict[str, Any]:
    """A small one with something of each kind; `changes` take the place of its parts."""
    return {
        "format": 1,
        "image": {
            "contract": 2,
            "name": "demo",
            "fingerprint": FINGERPRINT,
            "kubernetes": "1.37.2",
            "os": "debian-12",
            "architecture": "amd64",
            "builtBy": {"builder": "qemu", "at": "2026-11-25T23:00:00Z", "bundle": "0" * 64},
        },
        "system": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"},
        "kernels": ["6.1.0-30-cloud-amd64"],
        "packages": [
            package("libc6", "2.36-9+deb12u14", source="glibc"),
            package("runc", "1.1.5+ds1-1+deb12u1"),
        ],
        "binaries": [
            {"path": "/usr/bin/kubelet", "name": "kubelet", "version": "1.37.2", "sha256": "01" * 32},
            {"path": "/usr/local/bin/containerd", "name": "containerd", "version": "2.3.7", "sha256": "02" * 32},
            {"path": "/usr/local/bin/own", "name": "own", "version": "", "sha256": "03" * 32},
        ],
        "images": [{"reference": "registry.k8s.io/pause:3.10.2", "digest": f"sha256:{'04' * 32}"}],
        **changes,
    }


def package(
    name: str, version: str, *, kind: str = "deb", source: str = "", architecture: str = "amd64"
) -> dict[str, str]:
    """A package, built from a source of its own name unless another is given."""
    return {
        "type": kind,
        "name": name,
        "version": version,
        "architecture": architecture,
        "source": source or name,
        "sourceVersion": "" if kind == "rpm" else version,
    }

"""Specs and bundles for tests, and the command line as tests call it."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner, Result

from imagegen import pipeline
from imagegen.bundle import Authorities, Authority, Bundle, KeyPair
from imagegen.cli import app
from imagegen.cli.common import load_assets
from imagegen.spec import Cluster

FOLDER = Path(__file__).parents[2] / "examples"
# What others extend is no spec by itself.
_SHARED = {"base.yaml", "images.yaml"}
EXAMPLES = [path for path in sorted(FOLDER.rglob("*.yaml")) if path.name not in _SHARED]
ENCRYPTION_KEY = "U0VDUkVUIGtleSBTRUNSRVQga2V5IFNFQ1JFVCBrZXk="
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

SPEC: dict[str, Any] = {
    "apiVersion": "imagegen/v1alpha1",
    "kind": "Cluster",
    "metadata": {"name": "demo"},
    "provider": {"type": "qemu"},
    "kubernetes": {"version": "1.37.2"},
    "image": {"os": "debian-12"},
    "network": {"nodeCIDRs": ["192.168.0.0/24"], "gateway": "192.168.0.1", "nameservers": ["192.168.0.1"]},
    "controlPlane": {
        "endpoint": "192.168.0.242:6443",
        "nodes": [{"name": "cp1", "address": "192.168.0.242"}],
    },
    "nodePools": [{"name": "workers", "nodes": [{"name": "worker1", "address": "192.168.0.243"}]}],
}


def spec(**sections: Any) -> dict[str, Any]:
    """The usual spec; a section that is a mapping is merged, anything else replaces."""
    made = copy.deepcopy(SPEC)
    for name, section in sections.items():
        made[name] = {**made.get(name, {}), **section} if isinstance(section, dict) else section
    return made


def fake_bundle(*pools: str) -> Bundle:
    """A bundle whose secrets are words: goldens hold none, and what leaks is easy to find."""

    def authority(name: str) -> Authority:
        return Authority(certificate=pem(f"{name} certificate"), key=pem(f"{name} SECRET key"))

    tokens = {name: f"{number:06d}.{'secrettoken':0>16}" for number, name in enumerate(("control-plane", *pools))}
    return Bundle(
        cluster="demo",
        authorities=Authorities(
            cluster_ca=authority("cluster"),
            etcd_ca=authority("etcd"),
            front_proxy_ca=authority("front-proxy"),
            service_account=KeyPair(public=pem("sa public"), private=pem("sa SECRET key")),
            encryption_key=ENCRYPTION_KEY,
        ),
        build_key=KeyPair(public="ssh-ed25519 AAAA imagegen-build", private=pem("build SECRET key")),
        tokens=tokens,
        ca_hashes=("sha256:" + "0" * 64,),
        not_before=datetime(2026, 11, 23, 7, 55, tzinfo=UTC),
    )


def pem(name: str) -> str:
    """Something shaped like PEM."""
    return f"-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n"


def checked(data: dict[str, Any]) -> Cluster:
    """The spec in data that must have no errors."""
    cluster, report = pipeline.check(yaml.safe_dump(data), "cluster.yaml", load_assets())
    assert cluster is not None, report.diagnostics
    return cluster


def render(data: dict[str, Any]) -> pipeline.Rendering:
    """Render a spec with the fake bundle; it must have no errors."""
    assets, cluster = load_assets(), checked(data)
    pools = (pool.name for pool in cluster.node_pools)
    rendering, report = pipeline.render(cluster, fake_bundle(*pools), assets)
    assert rendering is not None, report.diagnostics
    return rendering


def rendered_example(path: Path) -> pipeline.Rendering:
    """Render an example with the fake bundle, with what it extends."""
    loaded = load_assets()
    cluster, report = pipeline.check(path.read_text(), str(path), loaded, lambda name: Path(name).read_text())
    assert cluster is not None, report.diagnostics
    bundle = fake_bundle(*(pool.name for pool in cluster.node_pools))
    if cluster.control_plane.existing:
        bundle = replace(bundle, authorities=None)
    rendering, report = pipeline.render(cluster, bundle, loaded)
    assert rendering is not None, report.diagnostics
    return rendering


def run(*arguments: str | Path) -> Result:
    """The program, in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result

"""A cluster of the minor before is upgraded by a new image, as the runbook says it: collected with `FULL=1` alone."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.lab import lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import balancer, pages, site
from tests.cluster.bake import QUICK, Baked, in_nspawn
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, until
from tests.cluster.scene import heard
from tests.cluster.test_high_availability import CONTROL_PLANES, NODES, OPERATOR, Cluster, machine, spec
from tests.support.bake import image_section
from tools import base, images, toolbox
from tools.bundle import bundle
from tools.releases import NEWEST, PREVIOUS, Release

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

WEB = Path(__file__).with_name("web.yaml")
# What runs on every node, or anywhere, until the cluster is told of the new release.
_ANYWHERE = ("kube-proxy", "coredns")
_BAKE_LIMIT = 2400
_LIMIT = 600
# The machine that bakes has no KVM.
_EMULATED = {"PKR_VAR_qemu_accelerator": "tcg", "PKR_VAR_qemu_compress": "false", "CHECKPOINT_DISABLE": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """A cluster of the release before, its pages, and the disk that replaces its machines'."""

    cluster: Cluster
    book: pages.Runbook
    disk: Path


@pytest.fixture(scope="module")
def upgrade(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Upgrade]:
    """Machines of the release before, not yet started, and the new image, made by the page's first step."""
    folder = tmp_path_factory.mktemp("upgrade")
    made = site.make(folder, image_section(kubernetes=PREVIOUS), change=_before)
    made.render()
    (packer,) = made.rendered.glob("images/*/packer")
    # By its scripts: what is under test is the image that replaces it.
    old = in_nspawn(packer, folder, PREVIOUS)
    with (
        lab.opened(folder, operator=OPERATOR) as opened,
        balancer.balanced(opened.network.name, str(OPERATOR.ip), CONTROL_PLANES, folder),
    ):
        machines = {name: machine(opened, name, old, made) for name in NODES}
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        cluster = Cluster(opened=opened, machines=machines, kubectl=kubectl, site=made, disk=baked.disk)
        book = pages.runbook(made, opened.network, folder / "programs")
        _write_new_version(made)
        page(book, "render")
        disk = baked.disk if QUICK else _baked_by_the_page(book, report)
        yield Upgrade(cluster=cluster, book=book, disk=disk)
    old.unlink()


def _before(template: dict[str, Any]) -> dict[str, Any]:
    return {**spec(template), "kubernetes": {"version": PREVIOUS.version}}


def _write_new_version(made: site.Site) -> None:
    document = yaml.safe_load(made.spec.read_text(encoding="utf-8"))
    document["kubernetes"]["version"], document["image"] = NEWEST.version, image_section()
    made.spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def page(book: pages.Runbook, *names: str, timeout: float = 180) -> str:
    return book.on_the_computer("upgrade", *names, timeout=timeout, TO=NEWEST.version, BUNDLE=str(bundle()))


def _baked_by_the_page(book: pages.Runbook, report: list[str]) -> Path:
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in _EMULATED.items():
            environment.setitem(os.environ, name, value)
        page(book, "bake", timeout=_BAKE_LIMIT)
    report.append(f"runbook: image of {NEWEST.version} baked in {time.monotonic() - started:.0f} s")
    (disk,) = book.site.rendered.glob("images/*/packer/**/*.qcow2")
    return disk


def test_a_cluster_is_upgraded(upgrade: Upgrade, report: list[str]) -> None:
    cluster, book = upgrade.cluster, upgrade.book
    for each in cluster.machines.values():
        each.start()
    waited(cluster, "all nodes Ready", NODES)
    book.on_the_computer("README", "kubeconfig")
    cluster.kubectl.run("apply", f"--filename={WEB}")
    check(book)
    assert versions(cluster) == {f"v{PREVIOUS.version}"}
    identity, started = cluster.identity(), time.monotonic()

    page(book, "version")
    for name in CONTROL_PLANES:
        replaced(upgrade, name)
        book.on_the_computer("replace-a-control-plane", "wait", timeout=_LIMIT, NEW=name)
        check(book)
    have(cluster.machines["worker1"], NEWEST)
    book.on_the_node(cluster.machines["cp1"], "upgrade", "add-ons", timeout=_LIMIT)
    book.on_the_computer("remove-a-node", "drain", timeout=_LIMIT, NODE="worker1")
    replaced(upgrade, "worker1", lambda: book.on_the_computer("remove-a-node", "delete", NODE="worker1"))
    book.on_the_computer("remove-a-node", "wait", timeout=_LIMIT, NODE="worker1")
    until("a cluster that is well", lambda: check(book), limit=_LIMIT)
    report.append(f"runbook: {PREVIOUS.version} upgraded to {NEWEST.version} in {time.monotonic() - started:.0f} s")

    assert cluster.identity() == identity
    assert versions(cluster) == {f"v{NEWEST.version}"}
    assert tags(cluster) == {f"v{NEWEST.version}"}
    skipped = {("upgrade", "bake")} if QUICK else set()
    assert {block for block in book.ran if block[0] == "upgrade"} | skipped == pages.WITH_A_NEW_IMAGE


def waited(cluster: Cluster, what: str, nodes: Iterable[str]) -> None:
    try:
        until(what, lambda: cluster.ready() == set(NODES), limit=_LIMIT)
    except (LabError, TimeoutError) as error:
        pytest.fail(f"{error}\n" + "\n".join(diagnosis(cluster.machines[name]) for name in nodes))


def check(book: pages.Runbook) -> str:
    """What the page that checks a cluster says; that all is well may take a moment."""
    return until("a cluster that is well", lambda: book.on_the_computer("check", "nodes", "pods", "etcd"), limit=_LIMIT)


def replaced(upgrade: Upgrade, name: str, removed: Callable[[], object] = lambda: None) -> None:
    """The machine is gone, and one of the new image comes with its name, address and user-data."""
    cluster = upgrade.cluster
    old = cluster.machines[name]
    old.power_cut()
    old.close()
    removed()
    new = cluster.machines[name] = machine(cluster.opened, name, upgrade.disk, cluster.site)
    new.log.unlink()
    new.start()
    try:
        heard(new, "phase=runtime status=ok", limit=_LIMIT)
        have(new, PREVIOUS)
        heard(new, "phase=done status=ok", limit=_LIMIT)
    except (LabError, TimeoutError) as error:
        pytest.fail(f"{error}\n{diagnosis(new)}")
    waited(cluster, f"{name} Ready", (name,))


def have(machine: NspawnMachine, release: Release) -> None:
    """Bring what the machine could pull, if there were a registry: the other release's images that may run anywhere."""
    for image in images.images(release):
        if any(f"/{name}:" in image.reference for name in _ANYWHERE):
            shutil.copy(images.archive(image, base.SUITE), machine.root / "root/image.tar")
            machine.shell("ctr --namespace k8s.io images import /root/image.tar && rm /root/image.tar")


def versions(cluster: Cluster) -> set[str]:
    return {node["status"]["nodeInfo"]["kubeletVersion"] for node in cluster.kubectl.items("nodes")}


def tags(cluster: Cluster) -> set[str]:
    """Of all pods that run a part of Kubernetes itself."""
    pods = cluster.kubectl.items("pods", "--namespace=kube-system")
    names = (container["image"] for pod in pods for container in pod["spec"]["containers"])
    return {tag for image, _, tag in (name.rpartition(":") for name in names) if "/kube-" in image}

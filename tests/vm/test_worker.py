"""The sealed image started once, as a worker whose control plane does not answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.guest import Guest

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("module", ["ip_vs", "ip_vs_rr", "br_netfilter", "overlay", "nf_conntrack"])
def test_module_is_loaded_by_the_image_itself(worker: Guest, module: str) -> None:
    loaded = {line.split()[0] for line in worker.run("cat /proc/modules").splitlines()}
    assert module in loaded


def test_cloud_init_has_no_errors(worker: Guest) -> None:
    assert "status: done" in worker.run("cloud-init status --long")
    result = json.loads(worker.run("cat /run/cloud-init/result.json"))
    assert result["v1"]["errors"] == []
    assert "NoCloud" in result["v1"]["datasource"]


def test_containerd_is_up_with_the_baked_images(worker: Guest) -> None:
    assert worker.run("systemctl is-active containerd").strip() == "active"
    images = worker.run("ctr --namespace=k8s.io images list --quiet").split()
    assert {"registry.k8s.io/pause:3.10.2", "registry.k8s.io/kube-proxy:v1.37.2"} <= set(images)


def test_containerd_runs_a_baked_image(worker: Guest) -> None:
    run = "ctr --namespace=k8s.io run --rm imagegen.test/web:1 probe /bin/hostname"
    assert worker.run(run, limit=600).strip() == "worker1"


def test_kubelet_is_enabled_and_waits_for_kubeadm(worker: Guest) -> None:
    assert worker.run("systemctl is-enabled kubelet").strip() == "enabled"
    shown = worker.run("systemctl show kubelet --property=ActiveState,ConditionResult,NRestarts")
    assert shown.split() == ["NRestarts=0", "ActiveState=inactive", "ConditionResult=no"]


def test_bootstrap_waits_for_its_endpoint(worker: Guest) -> None:
    assert worker.run("systemctl is-active imagegen-bootstrap").strip() == "active"
    status = json.loads(worker.run("cat /var/lib/imagegen/status.json"))
    assert (status["phase"], status["status"]) == ("endpoint", "waiting")
    assert "imagegen: phase=endpoint status=waiting" in worker.console.read_text(errors="replace")


def test_chrony_follows_the_spec_s_server(worker: Guest) -> None:
    assert worker.run("systemctl is-active chrony").strip() == "active"
    sources = [line.split()[1] for line in worker.run("chronyc -n sources").splitlines() if line.startswith("^")]
    assert "192.168.76.1" in sources


def test_identity_is_its_own(worker: Guest, sealed: Path) -> None:
    machine_id = worker.run("cat /etc/machine-id").strip()
    assert len(machine_id) == 32
    assert int(machine_id, 16) > 0
    assert worker.run("ls /etc/ssh/ssh_host_ed25519_key").strip()
    assert worker.run("hostname").strip() == "worker1"
    assert not list((sealed / "etc/ssh").glob("ssh_host_*"))


def test_units_that_the_seal_touched_are_as_baked(worker: Guest) -> None:
    masked = "apt-daily.timer apt-daily-upgrade.timer"
    assert worker.run(f"systemctl is-enabled {masked}", check=False).split() == ["masked", "masked"]
    assert worker.run("systemctl list-units --failed --plain --no-legend").strip() == ""

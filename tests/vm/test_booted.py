"""The sealed image as two machines, workers whose control plane does not answer; one of them also after a reboot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vm.conftest import Site

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

Seen = dict[str, Any]
CLOUD_INIT = {"debian-12": "22.4", "debian-13": "25.1"}


@pytest.fixture(params=["first", "rebooted"])
def machine(booted: Seen, request: pytest.FixtureRequest) -> Seen:
    """The first machine, after its first boot and after its second."""
    seen: Seen = booted[request.param]
    return seen


def test_every_check_of_the_bake_passes(machine: Seen, declared: Seen) -> None:
    report = machine["report"]
    assert [check for check in report["checks"] if not check["passed"]] == []
    kinds = {check["kind"] for check in report["checks"]}
    assert {"module", "sysctl", "package", "binary", "unit", "file", "content", "image", "setting"} <= kinds
    checked = {check["name"] for check in report["checks"]}
    assert set(declared["sysctls"]) | set(declared["modules"]) | set(declared["binaries"]) <= checked


def test_modules_are_loaded_by_the_image_itself(machine: Seen) -> None:
    wanted = {"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "br_netfilter", "overlay", "nf_conntrack"}
    assert wanted <= set(machine["modules"])


def test_cloud_init_is_done_without_error_or_warning(machine: Seen, site: Site) -> None:
    said = machine["cloudInit"]
    assert "status: done" in said["status"]
    assert "NoCloud" in said["result"]["datasource"]
    assert (said["result"]["errors"], said["errors"], said["recoverable"]) == ([], [], {})
    assert said["warnings"] == []
    assert said["version"].startswith(CLOUD_INIT[site.release])


def test_there_is_no_swap(machine: Seen) -> None:
    assert machine["swaps"] == []


def test_containerd_is_up_with_systemd_s_control_groups_and_the_baked_images(machine: Seen, site: Site) -> None:
    assert machine["active"]["containerd.service"] == "active"
    assert machine["containerd"]["systemdCgroup"] == ["true"]
    index = json.loads((site.image.bundle / "bundle.json").read_text())
    files = {(file["kind"], file["name"]): file["version"] for file in index["files"]}
    assert files["binary", "containerd"] in machine["containerd"]["version"]
    assert {name for kind, name in files if kind == "image"} <= set(machine["containerd"]["images"])


def test_containerd_runs_a_baked_image(booted: Seen) -> None:
    assert booted["first"]["containerd"]["ran"] == "worker1"


def test_kubelet_is_enabled_and_waits_for_kubeadm(machine: Seen) -> None:
    assert machine["kubeletEnabled"] == "enabled"
    assert machine["kubelet"] == ["NRestarts=0", "ActiveState=inactive", "ConditionResult=no"]


def test_first_boot_waits_for_its_endpoint(machine: Seen, booted: Seen) -> None:
    assert machine["active"]["imagegen-bootstrap.service"] == "active"
    assert (machine["status"]["phase"], machine["status"]["status"]) == ("endpoint", "waiting")
    assert booted["console"].count("imagegen: phase=contract status=ok") == 2
    assert "imagegen: phase=endpoint status=waiting" in booted["console"]


def test_chrony_follows_the_spec_s_server(machine: Seen) -> None:
    assert machine["active"]["chrony.service"] == "active"
    assert any(line.startswith("^") and "192.168.76.1" in line for line in machine["timeSources"].splitlines())


def test_units_that_the_seal_touched_are_as_baked(machine: Seen) -> None:
    assert set(machine["masked"].values()) == {"masked"}
    assert machine["failed"] == ""


def test_the_build_machine_is_forgotten(machine: Seen) -> None:
    assert "imagegen-build" not in machine["users"]
    assert machine["userDataCopies"] == []


def test_two_clones_are_two_machines(booted: Seen) -> None:
    first, second = booted["first"], booted["second"]
    assert (first["hostname"], second["hostname"]) == ("worker1", "worker2")
    for machine in (first, second):
        assert len(machine["machineID"]) == 32
        assert int(machine["machineID"], 16) > 0
        assert "ssh_host_ed25519_key.pub" in machine["hostKeys"]
    assert first["machineID"] != second["machineID"]
    assert not set(first["hostKeys"].values()) & set(second["hostKeys"].values())
    assert second["cloudInit"]["errors"] == []
    assert second["failed"] == ""


def test_a_reboot_changes_nothing(booted: Seen) -> None:
    first, rebooted = booted["first"], booted["rebooted"]
    assert first["bootID"] != rebooted["bootID"]
    for same in ("machineID", "hostname", "hostKeys", "kernel", "users"):
        assert first[same] == rebooted[same], same


def test_cloud_init_does_after_a_reboot_what_is_done_at_each_boot_only(booted: Seen) -> None:
    first, rebooted = booted["first"]["cloudInit"], booted["rebooted"]["cloudInit"]
    assert first["instance"] == rebooted["instance"]
    assert (first["boots"], rebooted["boots"]) == (1, 2)
    assert len(first["once"]) > 10
    assert first["once"] == rebooted["once"]


def test_an_image_of_another_contract_is_refused(booted: Seen) -> None:
    refused = booted["refused"]
    status = refused["status"]
    assert (status["phase"], status["status"], status["reason"]) == ("contract", "failed", "contract-mismatch")
    words = "the image speaks contract 2, the user-data contract 1; they were made by different versions of imagegen"
    assert status["message"].startswith(words)
    assert status["nextStep"].startswith("Render the user-data with the imagegen that built the image")
    assert "imagegen: phase=contract status=failed" in refused["console"]
    assert words in refused["console"]
    assert refused["left"].split() == ["inactive"]

"""What a machine is called."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.firstboot.documents import INIT, WORKER
from tests.firstboot.machine import Machine

INSTANCE = "/var/lib/cloud/data/instance-id"
FINAL = 78


def joined_as(machine: Machine) -> str:
    """The name in the configuration that kubeadm was run with."""
    documents = list(yaml.safe_load_all(machine.read("seen.yaml")))
    name: str = documents[0]["nodeRegistration"]["name"]
    return name


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("role", [INIT, WORKER])
def test_the_metadata_s_name(machine: Machine, role: str) -> None:
    machine.stage(role)
    machine.plan("kubeadm-init", 'cp "$3" "$root/seen.yaml"')
    machine.plan("kubeadm-join", 'cp "$3" "$root/seen.yaml"')
    assert machine.boot() == 0
    assert joined_as(machine) == "node-1"
    assert not machine.calls_of("hostname")
    assert not machine.has("/etc/hostname")


@pytest.mark.usefixtures("running")
def test_the_spec_s_name_for_this_address(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "fixed"})
    machine.write("/etc/hosts", "127.0.1.1 node-1\n# 192.168.0.11 old\n192.168.0.1 gate\n192.168.0.11 Worker7 w7\n")
    machine.plan("kubeadm-join", 'cp "$3" "$root/seen.yaml"')
    assert machine.boot() == 0
    assert joined_as(machine) == "worker7"
    assert machine.calls_of("hostname") == ["hostname worker7"]
    assert machine.read("/etc/hostname") == "worker7\n"


@pytest.mark.usefixtures("running")
def test_a_machine_that_the_spec_does_not_list_waits(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "fixed"})
    machine.clock.at(400, lambda: machine.write("/etc/hosts", "192.168.0.11 worker7\n"))
    assert machine.boot() == 0
    assert "phase=settle status=waiting reason=name-not-fixed" in machine.story
    assert machine.calls_of("hostname") == ["hostname worker7"]


@pytest.mark.usefixtures("running")
def test_a_prefix_and_the_instance_id(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "prefix+instance-id", "prefix": "gpu-"})
    machine.clock.at(30, lambda: machine.write(INSTANCE, "i-BP1.67_x\n"))
    machine.plan("kubeadm-join", 'cp "$3" "$root/seen.yaml"')
    assert machine.boot() == 0
    assert "phase=settle status=waiting reason=instance-id-missing" in machine.story
    assert joined_as(machine) == "gpu-i-bp1-67-x"


@pytest.mark.usefixtures("running")
def test_a_name_that_is_too_long(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "prefix+instance-id", "prefix": "p" * 40 + "-"})
    machine.write(INSTANCE, "i" * 30)
    assert machine.boot() == FINAL
    assert machine.status["reason"] == "name-invalid"


@pytest.mark.usefixtures("running")
def test_a_machine_that_takes_no_name_is_tried_again(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "fixed"})
    machine.write("/etc/hosts", "192.168.0.11 worker7\n")
    machine.plan("hostname-worker7", "echo no >&2; exit 1")
    assert machine.boot() == 0
    assert "phase=settle status=waiting reason=hostname-not-set" in machine.story


def test_a_source_of_names_that_there_is_not(machine: Machine) -> None:
    machine.stage(WORKER, nodeName={"from": "elsewhere"})
    assert machine.boot() == FINAL
    assert json.loads(machine.paths.status.read_text())["reason"] == "node-file-invalid"

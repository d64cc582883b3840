"""Machines in trouble: the real first boot, run into each reason that it knows."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
import time
from typing import NoReturn

from bootstrap import kubeadm, probe
from bootstrap.state import State

from tests.diagnosis.scene import Recording, Scene, trouble
from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import ADDRESSES, START

DAY = 86400
INSTANCE = "/var/lib/cloud/instances/i-1"


@trouble("address-not-found")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.answer("ip", json.dumps(ADDRESSES[:1]))
    worker.boot(until=400)


@trouble("api-silent")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.write("/etc/kubernetes/kubelet.conf", "")
    worker.script("kubectl", 'echo "Unable to connect to the server: net/http: TLS handshake timeout" >&2; exit 1')
    worker.boot(until=60)


@trouble("clock-behind")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.clock.start = START - 30 * DAY
    worker.boot(until=60)


@trouble("closed")
def _(scene: Scene) -> None:
    scene.machine.stage(WORKER)
    scene.cluster.start_empty_balancer()
    scene.machine.boot(until=60)


@trouble("cluster-found")
def _(scene: Scene) -> None:
    scene.cluster.start()
    scene.machine.stage(INIT)
    assert scene.machine.boot() == 0


@trouble("cni-apply-failed")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    scene.machine.script("kubectl", 'echo "error validating data"; exit 1')
    scene.machine.boot(until=60)


@trouble("cni-manifest-invalid")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    scene.machine.write("/usr/local/lib/imagegen/cni/flannel.yaml", "kind: Namespace\n")
    scene.machine.boot()


@trouble("cni-manifest-missing")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    scene.machine.paths.at("/usr/local/lib/imagegen/cni/flannel.yaml").unlink()
    scene.machine.boot()


@trouble("config-invalid")
def _(scene: Scene) -> None:
    scene.worker().write("/var/lib/imagegen/kubeadm.yaml", "kind: [")
    scene.machine.boot()


@trouble("config-missing")
def _(scene: Scene) -> None:
    scene.worker().paths.at("/var/lib/imagegen/kubeadm.yaml").unlink()
    scene.machine.boot()


@trouble("contract-mismatch")
def _(scene: Scene) -> None:
    scene.worker(contract=7).boot()


@trouble("endpoint-other-ca")
def _(scene: Scene) -> None:
    scene.cluster.start(scene.stranger)
    scene.machine.stage(INIT)
    scene.machine.boot(until=60)


@trouble("hairpin-failed")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT, endpoint="192.168.0.242:6443", hairpin="local")
    scene.machine.script("systemctl", '[ "$1" != start ] || { echo "Job for $2 failed" >&2; exit 1; }\n')
    scene.patch.setattr(probe, "is_ready", lambda *_: False)
    scene.patch.setattr(probe, "shake_hands", lambda *_: "refused")
    scene.machine.boot(until=60)


@trouble("keepalived-failed")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT, keepalived={"controlPlanes": ["192.168.0.11"]})
    words = "Failed to enable unit: Unit file haproxy.service does not exist."
    scene.machine.script("systemctl", f'[ "$1" != enable ] || {{ echo "{words}" >&2; exit 1; }}\n')
    scene.machine.boot(until=60)


@trouble("hook-failed")
def _(scene: Scene) -> None:
    path = "/etc/imagegen/hooks/pre-kubeadm/10-disk"
    scene.worker().write(path, "#!/bin/sh\necho no such device; exit 3\n").chmod(0o700)
    scene.machine.boot(until=60)


@trouble("hostname-not-set")
def _(scene: Scene) -> None:
    scene.worker().write("/proc/sys/kernel/hostname", "localhost\n")
    scene.machine.boot(until=60)


@trouble("http-status")
def _(scene: Scene) -> None:
    scene.cluster.status = 403
    scene.worker().boot(until=60)


@trouble("image-file-invalid")
def _(scene: Scene) -> None:
    scene.worker().write("/etc/imagegen/image.json", "{")
    scene.machine.boot()


@trouble("image-file-missing")
def _(scene: Scene) -> None:
    scene.worker().paths.image.unlink()
    scene.machine.boot()


@trouble("instance-id-missing")
def _(scene: Scene) -> None:
    scene.worker(nodeName={"from": "prefix+instance-id", "prefix": "gpu-"}).boot(until=60)


def _full_disk(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@trouble("disk-full")
def _(scene: Scene) -> None:
    worker = scene.worker()
    scene.patch.setattr(State, "count", _full_disk)
    worker.boot(until=60)


@trouble("internal-error")
def _(scene: Scene) -> None:
    scene.worker().answer("ip", "no JSON")
    scene.machine.boot(until=60)


@trouble("kubeadm-failed")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.plan("kubeadm-join", *["echo 'error: something new'; exit 1"] * 9)
    worker.boot(until=60)


@trouble("kubeadm-invalid")
def _(scene: Scene) -> None:
    scene.worker().plan("kubeadm-join", "echo 'error: nodeRegistration.name: Invalid value'; exit 3")
    scene.machine.boot()


@trouble("kubeadm-timeout")
def _(scene: Scene) -> None:
    scene.patch.setattr(kubeadm, "COMMAND_LIMIT", 0.2)
    scene.worker().plan("kubeadm-join", *["exec sleep 60"] * 2)
    scene.machine.boot(until=15)


@trouble("kubeconfig-missing")
def _(scene: Scene) -> None:
    assert scene.plane(admin="ops").boot() == 0


@trouble("locked")
def _(scene: Scene) -> Recording:
    """Another run holds the lock; what is recorded is what is said meanwhile."""
    worker = scene.worker()
    worker.paths.home.mkdir(parents=True, exist_ok=True)
    lock = os.open(worker.paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    waiting = threading.Thread(target=worker.boot)
    waiting.start()
    while not worker.paths.status.exists() or worker.status["reason"] != "locked":
        time.sleep(0.01)
    recording = Recording(lines=worker.lines, status=worker.status)
    os.close(lock)
    waiting.join()
    return recording


@trouble("name-invalid")
def _(scene: Scene) -> None:
    worker = scene.worker(nodeName={"from": "prefix+instance-id", "prefix": "p" * 60 + "-"})
    worker.write("/var/lib/cloud/data/instance-id", "i-bp1\n" * 1)
    worker.boot()


@trouble("name-not-fixed")
def _(scene: Scene) -> None:
    scene.worker(nodeName={"from": "fixed"}).boot(until=60)


@trouble("no-manifest")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT, cni={"name": "none"})
    assert scene.machine.boot() == 0


@trouble("node-file-invalid")
def _(scene: Scene) -> None:
    scene.worker().write("/etc/imagegen/node.json", "[]")
    scene.machine.boot()


@trouble("node-file-missing")
def _(scene: Scene) -> None:
    scene.worker().paths.node.unlink()
    scene.machine.boot()


@trouble("not-cluster-info")
def _(scene: Scene) -> None:
    scene.cluster.body = []
    scene.worker().boot(until=60)


@trouble("nothing-answers")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    assert scene.machine.boot() == 0


@trouble("pki-missing")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    (scene.machine.paths.staged_pki / "sa.key").unlink()
    scene.machine.boot()


@trouble("preflight-failed")
def _(scene: Scene) -> None:
    said = (
        "echo '	[ERROR Unheard]: of'; echo 'error: error execution phase preflight: preflight checks failed'; exit 1"
    )
    scene.worker().plan("kubeadm-join", *[said] * 9)
    scene.machine.boot(until=60)


@trouble("refused")
def _(scene: Scene) -> None:
    scene.machine.stage(WORKER)
    scene.machine.boot(until=600)


@trouble("reset-failed")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.plan("kubeadm-join", "echo 'error: no'; exit 1")
    worker.plan("kubeadm-reset", *["exit 1"] * 9)
    worker.boot(until=60)


@trouble("resumed")
def _(scene: Scene) -> None:
    worker = scene.worker()
    worker.write("/etc/kubernetes/kubelet.conf", "")
    worker.answer("kubectl", '{"metadata": {"labels": {}}}')
    assert worker.boot() == 0


@trouble("runtime-silent")
def _(scene: Scene) -> None:
    said = "ctr: failed to dial: dial unix /run/containerd/containerd.sock: connect: connection refused"
    scene.worker().script("ctr", f"echo '{said}' >&2; exit 1")
    scene.machine.boot(until=400)


@trouble("timeout")
def _(scene: Scene) -> None:
    """Something takes the connection and says nothing."""
    scene.patch.setattr(probe, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", scene.cluster.port)):
        scene.machine.stage(WORKER)
        scene.machine.boot(until=5)


@trouble("tls")
def _(scene: Scene) -> None:
    scene.cluster.start_plain()
    scene.machine.stage(WORKER)
    scene.machine.boot(until=60)


@trouble("token-not-signed")
def _(scene: Scene) -> None:
    scene.cluster.body = {"data": {"kubeconfig": ""}}
    scene.worker().boot(until=60)


@trouble("turn")
def _(scene: Scene) -> None:
    scene.plane().boot(until=10)


@trouble("unreachable")
def _(scene: Scene) -> None:
    # No connection is ever made to this address (RFC 1122), whatever the machine's routes are.
    scene.machine.stage(JOIN, endpoint="255.255.255.255:6443")
    scene.machine.boot(until=60)


@trouble("unresolved")
def _(scene: Scene) -> None:
    def unknown(*_: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    scene.patch.setattr(socket, "getaddrinfo", unknown)
    scene.machine.stage(WORKER, endpoint="kubernetes.invalid:6443")
    scene.machine.boot(until=60)


@trouble("wipe-incomplete")
def _(scene: Scene) -> None:
    scene.worker().write(f"{INSTANCE}/obj.pkl", "no pickle")
    assert scene.machine.boot() == 0

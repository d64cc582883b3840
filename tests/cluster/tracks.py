"""The ways of five machines through their faults, at the same time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from imagegen.lab.nspawn import NspawnMachine
from tests.cluster.faults import FULL
from tests.cluster.impostor import HANG, IMPOSTOR, PASS
from tests.cluster.scene import Scene, heard, moments
from tests.cluster.site import Site

ADDRESSES = {"cp1": "10.77.0.11", "w1": "10.77.0.21", "w2": "10.77.0.22", "w3": "10.77.0.23", "w4": "10.77.0.24"}
LATE, GONE, REFUSALS = (600, 300, 4) if FULL else (15, 0, 2)
"""Seconds that the control plane is late and the network is gone, at least; how often another CA is tried."""
SEED = 115
INIT_WINDOW, JOIN_WINDOW = 4.0, 0.4

_HELD = "/var/lib/lab-runtime-may-run"
_DROP_IN = "etc/systemd/system/containerd.service.d/50-lab-held.conf"
# All blocks, those that are kept for root as well; what is allocated here takes no room outside.
_FILL = """\
i=0
for size in 1G 128M 16M 2M 256K 32K 4K; do
    while fallocate -l "$size" "/var/fill.$i" 2>/dev/null; do i=$((i + 1)); done
    rm -f "/var/fill.$i"
done
"""


def control_plane(scene: Scene, cp1: NspawnMachine) -> None:
    """Its runtime fails, another cluster holds the endpoint, and the power fails twice while it starts its own."""
    scene.front.show(ADDRESSES["cp1"], IMPOSTOR)
    scene.bites("runtime-down", cp1)
    _until_late(scene)
    cp1.shell(f"touch {_HELD}")
    scene.goes_on("runtime-down", cp1, "phase=runtime status=ok")
    scene.bites("guard-other-ca", cp1)
    assert "kubeadm-init" not in cp1.console()
    first, second = moments(SEED, 2, INIT_WINDOW)
    mark = len(cp1.console())
    scene.front.show(ADDRESSES["cp1"], PASS)
    scene.killed("killed-in-init", cp1, first, after=mark)
    scene.killed("killed-in-init", cp1, second, after=len(cp1.console()))
    scene.ready(cp1, "killed-in-init", "runtime-down", "guard-other-ca")


def _until_late(scene: Scene) -> None:
    """Wait for the moment from which on somebody is at the endpoint."""
    assert scene.late.wait(2 * LATE + 120), "the worker has not seen that the control plane is late"


def hold_runtime(root: Path) -> None:
    """The runtime fails whenever it is started, until somebody lets it."""
    path = root / _DROP_IN
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[Service]\nExecStartPre=/usr/bin/test -e {_HELD}\n", encoding="utf-8")


def hanging_then_expired(scene: Scene, w1: NspawnMachine) -> None:
    """The endpoint hangs until the API is up, and then the pool's token has expired."""
    _until_late(scene)
    scene.bites("endpoint-hangs", w1)
    scene.api()
    token = scene.token("late")
    scene.expire(token)
    scene.front.show(ADDRESSES["w1"], PASS)
    scene.goes_on("endpoint-hangs", w1, "reason=token-not-signed")
    scene.bites("token-expired", w1)
    scene.renew("late")
    scene.ready(w1, "token-expired", "endpoint-hangs")


def stranger_then_killed(scene: Scene, w2: NspawnMachine) -> None:
    """Another cluster answers at the endpoint, and the power fails in the join to the right one."""
    scene.front.show(ADDRESSES["w2"], IMPOSTOR)
    _until_late(scene)
    scene.bites("endpoint-other-ca", w2, times=REFUSALS)
    asked = scene.front.requests(ADDRESSES["w2"])
    assert set(asked) == {"GET /api/v1/namespaces/kube-public/configmaps/cluster-info without credentials"}, asked
    assert not w2.shell("ls /etc/kubernetes/kubelet.conf", check=False).stdout
    scene.front.show(ADDRESSES["w2"], HANG)
    scene.api()
    (moment,), mark = moments(SEED, 1, JOIN_WINDOW), len(w2.console())
    scene.front.show(ADDRESSES["w2"], PASS)
    scene.killed("killed-in-join", w2, moment, after=mark)
    scene.ready(w2, "killed-in-join", "endpoint-other-ca")


def late_then_full(scene: Scene, w3: NspawnMachine) -> None:
    """Nothing listens at the endpoint for long; when it does, there is no room on the disk."""
    scene.bites("control-plane-late", w3)
    time.sleep(LATE)
    scene.late.set()
    w3.shell(_FILL)
    scene.api()
    scene.front.show(ADDRESSES["w3"], PASS)
    scene.goes_on("control-plane-late", w3, "phase=endpoint status=ok")
    scene.bites("disk-full", w3)
    w3.shell("rm /var/fill.*")
    scene.ready(w3, "disk-full", "control-plane-late")


def gone_then_twin(scene: Scene, w4: NspawnMachine) -> None:
    """The network goes and comes back, and the machine has the control plane's name."""
    scene.front.show(ADDRESSES["w4"], PASS)
    heard(w4, "phase=endpoint status=waiting", limit=120)
    mark, cut = len(w4.console()), time.monotonic()
    scene.unplug(w4)
    scene.bites("network-gone", w4, after=mark)
    scene.api()
    before = scene.identity("cp1")
    time.sleep(max(0, GONE - (time.monotonic() - cut)))
    scene.plug_in(w4)
    scene.goes_on("network-gone", w4, "phase=endpoint status=ok")
    scene.bites("name-taken", w4)
    assert scene.identity("cp1") == before
    assert scene.is_node("cp1")
    w4.shell("hostname w4; echo w4 >/etc/hostname")
    scene.ready(w4, "name-taken", "network-gone")


def twin_seed(site: Site, name: str) -> None:
    """The seed of a machine whose pool takes names from meta-data, which give it another node's name."""
    model, own = site.seed("w3"), site.seed("w4")
    own.mkdir()
    shutil.copyfile(site.rendered / "user-data/worker-twins.yaml", own / "user-data")
    meta_data = f"instance-id: twin-of-{name}\nlocal-hostname: {name}\n"
    (own / "meta-data").write_text(meta_data, encoding="utf-8")
    network = (model / "network-config").read_text(encoding="utf-8")
    assert ADDRESSES["w3"] in network
    (own / "network-config").write_text(network.replace(ADDRESSES["w3"], ADDRESSES["w4"]), encoding="utf-8")


TRACKS: dict[str, tuple[Callable[[Scene, NspawnMachine], None], tuple[str, ...]]] = {
    "w3": (late_then_full, ("control-plane-late", "disk-full")),
    "cp1": (control_plane, ("runtime-down", "guard-other-ca", "killed-in-init")),
    "w1": (hanging_then_expired, ("endpoint-hangs", "token-expired")),
    "w2": (stranger_then_killed, ("endpoint-other-ca", "killed-in-join")),
    "w4": (gone_then_twin, ("network-gone", "name-taken")),
}

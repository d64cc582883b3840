"""Pods and a cloud's metadata service: a stand-in, out of reach on the control plane as the spec has it."""

import functools
import json
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from imagegen.lab.network import BRIDGE
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import serving
from tests.cluster.conftest import Cluster
from tests.cluster.kubectl import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

METADATA = IPv4Address("169.254.169.254")
# At once, where it is forbidden: no packet is waited for.
REFUSED = "wget: can't connect to remote host .*: No route to host"
URL = f"http://{METADATA}:{serving.PORT}/user-data"


@pytest.fixture(scope="module", autouse=True)
def service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Beyond the machines' gateway, as a cloud's is."""
    folder = tmp_path_factory.mktemp("metadata") / "served"
    folder.mkdir()
    (folder / "user-data").write_text("secret\n", encoding="utf-8")
    network = cluster.prepared.lab.network
    network.run("ip", "address", "add", f"{METADATA}/32", "dev", BRIDGE)
    with serving.served(network.name, str(METADATA), folder):
        until("the stand-in answers", lambda: network.run("curl", "-sf", "-m", "5", URL).stdout, limit=30)
        yield
    network.run("ip", "address", "delete", f"{METADATA}/32", "dev", BRIDGE)


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[dict[str, str]]:
    """A pod on the control plane and one on a worker, by machine."""
    names = {node: f"asks-{node}" for node in ("cp1", "worker1")}
    for node, name in names.items():
        place = json.dumps({"spec": {"nodeName": node}})
        cluster.kubectl.run("run", name, "--image=imagegen.test/web:1", f"--overrides={place}")
    cluster.kubectl.run("wait", "--for=condition=Ready", "pod", *names.values(), "--timeout=60s", timeout=70)
    yield names
    cluster.kubectl.run("delete", "pod", *names.values(), "--grace-period=0", "--force", "--wait=false")


def pod_asks(cluster: Cluster, pod: str) -> str:
    return cluster.kubectl.run("exec", pod, "--", "wget", "-q", "-O", "-", URL)


def test_the_pod_on_the_control_plane_alone_is_kept_away(cluster: Cluster, pods: dict[str, str]) -> None:
    assert pod_asks(cluster, pods["worker1"]) == "secret\n"
    with pytest.raises(LabError, match=REFUSED):
        pod_asks(cluster, pods["cp1"])


def test_the_control_plane_itself_is_not(cluster: Cluster) -> None:
    asked = f"python3 -c 'import urllib.request as r; print(r.urlopen(\"{URL}\", timeout=5).read().decode())'"
    for machine in cluster.prepared.machines:
        assert machine.shell(asked).stdout.strip() == "secret"


def test_the_same_pod_reaches_it_without_the_guard(cluster: Cluster, pods: dict[str, str]) -> None:
    first, pod = cluster.prepared.machines[0], pods["cp1"]
    first.shell("bash /usr/local/lib/imagegen/metadata/guard.sh")
    try:
        assert until("the pod reaches it", functools.partial(pod_asks, cluster, pod), limit=30) == "secret\n"
    finally:
        first.shell(". /etc/imagegen/metadata.env; bash /usr/local/lib/imagegen/metadata/guard.sh $ADDRESSES")
    with pytest.raises(LabError, match=REFUSED):
        pod_asks(cluster, pod)


def test_the_guard_stands_before_the_kubelet(cluster: Cluster) -> None:
    first, other, *_ = cluster.prepared.machines
    assert _entered(first, "imagegen-metadata.service") < _entered(first, "kubelet.service")
    # Nothing tells it of a metadata service, and its kubelet runs all the same.
    assert _entered(other, "imagegen-metadata.service") == 0 < _entered(other, "kubelet.service")


def _entered(machine: NspawnMachine, unit: str) -> int:
    asked = f"systemctl show --property=ActiveEnterTimestampMonotonic --value {unit}"
    return int(machine.shell(asked).stdout)

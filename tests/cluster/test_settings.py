"""What a spec asks for beyond a plain cluster, looked for in the cluster that came of it."""

import json
import re
from typing import Any

import pytest

from imagegen.lab.nspawn import NspawnMachine
from tests.cluster.conftest import Cluster
from tests.cluster.kubectl import until
from tests.cluster.site import Site

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]


@pytest.fixture
def cp1(cluster: Cluster) -> NspawnMachine:
    return cluster.prepared.machines[0]


@pytest.fixture
def worker1(cluster: Cluster) -> NspawnMachine:
    return cluster.prepared.machines[1]


def static_pod(cluster: Cluster, component: str) -> dict[str, Any]:
    """The mirror of a control-plane component's pod."""
    (pod,) = cluster.kubectl.items("pods", "--namespace=kube-system", f"--selector=component={component}")
    return pod


def test_labels_and_taints(cluster: Cluster) -> None:
    nodes = {node["metadata"]["name"]: node for node in cluster.kubectl.items("nodes")}
    assert nodes["worker1"]["metadata"]["labels"]["disk"] == "ssd"
    assert {"key": "slow", "effect": "PreferNoSchedule"} in nodes["worker1"]["spec"]["taints"]
    assert "disk" not in nodes["cp1"]["metadata"]["labels"]


def test_kubelet_configuration_and_flags(cluster: Cluster, worker1: NspawnMachine) -> None:
    nodes = cluster.kubectl.items("nodes")
    assert {node["status"]["capacity"]["pods"] for node in nodes} == {"64"}
    assert "--v=3" in worker1.shell("tr '\\0' ' ' </proc/$(pidof kubelet)/cmdline").stdout


def test_flags_and_patches_of_the_control_plane(cluster: Cluster) -> None:
    assert "--profiling=false" in static_pod(cluster, "kube-apiserver")["spec"]["containers"][0]["command"]
    assert static_pod(cluster, "kube-scheduler")["metadata"]["labels"]["lab"] == "patched"


def test_secrets_in_etcd_are_ciphertext(cluster: Cluster, cp1: NspawnMachine) -> None:
    cluster.kubectl.run("create", "secret", "generic", "lab", "--from-literal=word=unmistakable-plaintext")
    cluster.kubectl.run("create", "configmap", "lab", "--from-literal=word=unmistakable-configmap")
    seen = cp1.shell("grep -rhoaE 'unmistakable-[a-z]+|k8s:enc:secretbox' /var/lib/etcd/member").stdout.split()
    # The ConfigMap shows that the search finds what is not encrypted.
    assert set(seen) == {"unmistakable-configmap", "k8s:enc:secretbox"}


def test_the_audit_log_is_written(cp1: NspawnMachine) -> None:
    event = json.loads(cp1.shell("tail -n 1 /var/log/kubernetes/audit.log").stdout)
    assert (event["kind"], event["level"]) == ("Event", "Metadata")


def test_the_certificate_holds_the_further_name(cp1: NspawnMachine) -> None:
    said = cp1.shell("openssl x509 -noout -ext subjectAltName -in /etc/kubernetes/pki/apiserver.crt").stdout
    assert "DNS:api.lab.example" in said


def test_files_reach_their_roles_byte_for_byte(cp1: NspawnMachine, worker1: NspawnMachine) -> None:
    content = "quotes ' \" and {{ braces }} and ${dollars}\n"
    assert worker1.shell("cat /etc/lab-file").stdout == content
    assert worker1.shell("stat --format=%a /etc/lab-file").stdout.strip() == "640"
    assert cp1.shell("test -e /etc/lab-file", check=False).returncode == 1


def test_machines_know_each_other_s_names(cp1: NspawnMachine, worker1: NspawnMachine) -> None:
    assert cp1.shell("getent hosts worker1").stdout.split()[0] == "10.77.0.21"
    assert worker1.shell("getent hosts cp1").stdout.split()[0] == "10.77.0.11"


def test_registries_are_told_to_containerd(worker1: NspawnMachine) -> None:
    hosts = worker1.shell("cat /etc/containerd/certs.d/docker.io/hosts.toml").stdout
    assert 'server = "https://registry-1.docker.io"' in hosts
    assert '[host."http://10.77.0.1:5000"]' in hosts


def test_the_proxy_is_told_to_containerd(cp1: NspawnMachine) -> None:
    variables = cp1.shell("tr '\\0' '\\n' </proc/$(pidof containerd)/environ").stdout.splitlines()
    assert "HTTPS_PROXY=http://10.77.0.1:3128" in variables
    (direct,) = [line for line in variables if line.startswith("NO_PROXY=")]
    assert "10.96.0.0/12" in direct.split(",")


def test_further_authorities_are_trusted(worker1: NspawnMachine) -> None:
    listing = worker1.shell("openssl storeutl -noout -text -certs /etc/ssl/certs/ca-certificates.crt").stdout
    # Subject and issuer of one self-signed certificate; releases of openssl differ in their blanks.
    assert len(re.findall(r"CN ?= ?lab of the day", listing)) == 2


def test_no_worker_holds_a_key_of_the_cluster(worker1: NspawnMachine) -> None:
    found = worker1.shell("grep -rlsE 'PRIVATE KEY' /etc /var/lib/imagegen /var/lib/cloud || true").stdout.split()
    # SSH host keys and the kubelet's own certificates are the machine's.
    assert [path for path in found if not path.startswith("/etc/ssh/")] == []


def test_a_rotated_token_is_taken_by_the_cluster(cluster: Cluster, site: Site) -> None:
    manifest = site.rotate("workers")
    token = next(line.split()[1] for line in manifest.read_text().splitlines() if "token-id:" in line)
    cluster.kubectl.run("apply", f"--filename={manifest}")

    def signed() -> bool:
        shown = cluster.kubectl.run("get", "configmap", "--namespace=kube-public", "cluster-info", "-o", "json")
        return f"jws-kubeconfig-{token}" in json.loads(shown)["data"]

    until("cluster-info is signed for the new token", signed, limit=60)


def test_hooks_ran_before_and_after_kubeadm(cluster: Cluster, worker1: NspawnMachine) -> None:
    nodes = {node["metadata"]["name"]: node for node in cluster.kubectl.items("nodes")}
    assert nodes["cp1"]["metadata"]["annotations"]["lab/hook"] == "ran"
    # The first of them failed, by its own will.
    assert worker1.shell("cat /var/log/lab-early").stdout.splitlines() == ["worker1 worker"] * 2


def test_the_bake_ran_the_image_s_hooks(worker1: NspawnMachine) -> None:
    assert worker1.shell("cat /etc/lab-baked").stdout == "baked\n"

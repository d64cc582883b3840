"""Kubelets serve with certificates of the cluster's CA, which nobody but their approver gave them."""

import base64
import functools
import json
from pathlib import Path

import pytest
import yaml
from cryptography.x509.oid import NameOID

from imagegen.lab.nspawn import NspawnMachine
from tests.approver.asking import dns, ip, request
from tests.cluster.conftest import KUBELET_SERVING, NODES, Cluster, serving_requests
from tests.cluster.kubectl import condition, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

STOLEN = {"stolen-address": ip(NODES["cp1"]), "stolen-name": dns("cp1")}


def test_each_kubelet_shows_who_it_is_by_name_and_address(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = yaml.safe_load(cluster.kubectl.kubeconfig.read_text(encoding="utf-8"))
    authority = tmp_path / "ca.crt"
    authority.write_bytes(base64.b64decode(kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]))
    asked = ("curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(authority))
    ask = functools.partial(cluster.prepared.lab.network.run, *asked)
    for name, address in NODES.items():
        by_name = functools.partial(ask, "--resolve", f"{name}:10250:{address}", f"https://{name}:10250/pods")
        # Approved is not signed yet. Who asks is nobody.
        assert until(name, by_name, limit=60).stdout == "401"
        assert ask(f"https://{address}:10250/pods").stdout == "401"


def test_the_approver_approved_one_of_each_node_and_nothing_else(cluster: Cluster) -> None:
    found = serving_requests(cluster.kubectl, "Approved")
    reasons = {one["spec"]["username"]: condition(one, "Approved")["reason"] for one in found}
    assert reasons == {f"system:node:{name}": "ImagegenApprover" for name in NODES}


def test_logs_of_all_machines_come_by_an_api_server_that_looks_who_serves_them(cluster: Cluster) -> None:
    (server,) = cluster.kubectl.items("pods", "--namespace=kube-system", "--selector=component=kube-apiserver")
    assert "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt" in server["spec"]["containers"][0]["command"]
    proxies = cluster.kubectl.items("pods", "--namespace=kube-system", "--selector=k8s-app=kube-proxy")
    assert {pod["spec"]["nodeName"] for pod in proxies} == set(NODES)
    for pod in proxies:
        assert cluster.kubectl.run("logs", "--namespace=kube-system", pod["metadata"]["name"], "--tail=1")


def test_a_worker_gets_no_certificate_for_a_control_plane(cluster: Cluster) -> None:
    first, worker, *_ = cluster.prepared.machines
    subject = ((NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, "system:node:worker1"))
    for name, sans in STOLEN.items():
        pem = base64.b64encode(request(subject, sans)).decode()
        thing = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {"signerName": KUBELET_SERVING, "usages": ["digital signature", "server auth"], "request": pem},
        }
        # With the worker's own rights: it may ask.
        worker.shell(f"kubectl --kubeconfig=/etc/kubernetes/kubelet.conf create -f - <<'END'\n{json.dumps(thing)}\nEND")
    try:
        for name in STOLEN:
            until(f"the approver's words on {name}", functools.partial(left_alone, first, name), limit=60)
        approved = {one["metadata"]["name"] for one in serving_requests(cluster.kubectl, "Approved")}
        assert not approved & STOLEN.keys()
    finally:
        cluster.kubectl.run("delete", "certificatesigningrequests", *STOLEN)


def left_alone(machine: NspawnMachine, name: str) -> bool:
    said = machine.shell("journalctl --no-pager -u imagegen-approver").stdout
    return f"{name} of system:node:worker1 is left to others" in said

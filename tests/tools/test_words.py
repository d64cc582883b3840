"""What `imagegen diagnose` knows kubeadm and cloud-init by is what these say: they are brought to say it."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from imagegen.secrets.keys import ca_hashes
from tests.conftest import missing
from tests.diagnosis import consoles
from tests.diagnosis.told import codes
from tests.firstboot.authority import Authority
from tests.firstboot.conftest import authority, cluster, machine, stranger
from tests.firstboot.documents import KUBEADM_API, TOKEN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import TOKEN_ID, Cluster
from tests.support import rooted
from tools import roots, toolbox

pytestmark = pytest.mark.tools
__all__ = ["authority", "cluster", "machine", "stranger"]

# Its checks of this machine, and then the cluster's: nothing is written.
REAL = '[ "$1" != join ] || exec {kubeadm} join phase preflight --config {config}\n'


@pytest.fixture(scope="module")
def kubeadm() -> Path:
    """Found before a machine of these tests has a path of its own."""
    if not toolbox.is_built(toolbox.component_of("kubeadm")):
        missing("kubeadm (make tools)")
    return toolbox.path("kubeadm")


@pytest.fixture
def joining(machine: Machine, cluster: Cluster, kubeadm: Path) -> Callable[..., list[str]]:
    """What is found on the console of a worker whose first boot runs the real kubeadm with other settings."""

    def join(*, ignore: tuple[str, ...] = ("all",), **discovery: object) -> list[str]:
        machine.stage(WORKER)
        registration = {"name": "node-1", "criSocket": "unix:///nowhere.sock", "ignorePreflightErrors": list(ignore)}
        token = {"token": TOKEN, "apiServerEndpoint": cluster.endpoint, "unsafeSkipCAVerification": True, **discovery}
        config = {
            "apiVersion": KUBEADM_API,
            "kind": "JoinConfiguration",
            "discovery": {"bootstrapToken": token},
            "timeouts": {"discovery": "1s"},
            "nodeRegistration": registration,
        }
        path = machine.write("/join.yaml", yaml.safe_dump(config))
        machine.script("kubeadm", REAL.format(kubeadm=kubeadm, config=path))
        machine.boot(until=5)
        return codes(consoles.console(machine.lines))

    return join


def cluster_info(ca: Authority, endpoint: str, token: str = TOKEN) -> dict[str, object]:
    """cluster-info as the control plane signs it for a token (RFC 7515, its payload detached)."""
    entry = {"certificate-authority-data": encoded(ca.certificate), "server": f"https://{endpoint}"}
    kubeconfig = json.dumps({"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "", "cluster": entry}]})
    identity, _, secret = token.partition(".")
    head = url_encoded(json.dumps({"alg": "HS256", "kid": identity}, separators=(",", ":")).encode())
    digest = hmac.digest(secret.encode(), f"{head}.{url_encoded(kubeconfig.encode())}".encode(), "sha256")
    data = {"kubeconfig": kubeconfig, f"jws-kubeconfig-{identity}": f"{head}..{url_encoded(digest)}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": data}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def url_encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_checks_of_the_machine(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.start()
    found = joining(ignore=())
    assert found[0] == "preflight-runtime"
    assert "preflight-failed" in found


def test_nobody_listens(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.start()
    assert joining(apiServerEndpoint="127.0.0.1:1")[0] == "connection-refused"


def test_a_name_that_does_not_resolve(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.start()
    assert joining(apiServerEndpoint="kubernetes.invalid:6443")[0] in {"name-not-resolved", "no-answer"}


def test_a_cluster_that_publishes_nothing(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.start()
    other = Cluster(cluster.authority, cluster.folder)
    other.status = 404
    other.start()
    assert joining(apiServerEndpoint=other.endpoint)[0] == "cluster-info-missing"
    other.stop()


def test_a_token_that_the_cluster_does_not_know(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint)
    cluster.start()
    assert joining(token="zzzzzz.0123456789abcdef")[0] == "token-unknown"


def test_a_token_of_the_same_id_and_another_secret(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint, f"{TOKEN_ID}.{'f' * 16}")
    cluster.start()
    assert joining()[0] == "token-unknown"


def test_a_ca_that_is_not_pinned(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint)
    cluster.start()
    pin = f"sha256:{hashlib.sha256(b'another').hexdigest()}"
    assert joining(unsafeSkipCAVerification=False, caCertHashes=[pin])[0] == "ca-not-pinned"


def test_a_certificate_that_has_expired(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint)
    cluster.start(expired=True)
    (pin,) = ca_hashes(cluster.authority.certificate)
    assert joining(unsafeSkipCAVerification=False, caCertHashes=[pin])[0] == "certificate-expired"


def test_a_certificate_of_another_ca(joining: Callable[..., list[str]], cluster: Cluster, stranger: Authority) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint)
    cluster.start(stranger, named=True)
    (pin,) = ca_hashes(cluster.authority.certificate)
    assert joining(unsafeSkipCAVerification=False, caCertHashes=[pin])[0] == "unknown-authority"


def test_a_certificate_without_the_endpoint_s_name(joining: Callable[..., list[str]], cluster: Cluster) -> None:
    cluster.body = cluster_info(cluster.authority, cluster.endpoint)
    cluster.start()
    (pin,) = ca_hashes(cluster.authority.certificate)
    assert joining(unsafeSkipCAVerification=False, caCertHashes=[pin])[0] == "certificate-other-name"


PAYLOADS = {
    "user-data-not-yaml": b"#cloud-config\nwrite_files: [\n",
    "user-data-not-ours": b"write_files:\n  - path: /etc/imagegen/node.json\n",
}


@functools.cache
def complaints(suite: str) -> dict[str, list[str]]:
    request = {name: base64.b64encode(payload).decode() for name, payload in PAYLOADS.items()}
    answer: dict[str, list[str]] = rooted.ask(suite, "complaints", request)
    return answer


@pytest.mark.parametrize("suite", [rooted.HOST, *roots.SUITES])
@pytest.mark.parametrize("code", PAYLOADS)
def test_user_data_that_cloud_init_cannot_read(suite: str, code: str) -> None:
    said = complaints(suite)[code]
    assert codes(consoles.console([], before=[*consoles.KERNEL, *said])) == [code], said

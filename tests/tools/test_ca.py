"""A cluster CA replaced, as openssl and kubeadm see it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from imagegen.bundle import Bundle
from imagegen.secrets.keys import new_authority
from imagegen.secrets.make import make_bundle
from imagegen.secrets.trust import with_trusted
from imagegen.spec import EncryptionAlgorithm
from tests.support.specs import NOW
from tests.tools.test_kubeadm import kubeadm
from tests.unit.test_trust import written

pytestmark = pytest.mark.tools


@pytest.fixture(params=list(EncryptionAlgorithm))
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """A bundle in the middle of the replacement, with CAs of two kinds."""
    following = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    return with_trusted(make_bundle("demo", ["workers"], request.param, NOW), following.certificate)


def test_pins_are_openssl_s(bundle: Bundle, tool: Callable[[str], str]) -> None:
    openssl = tool("openssl")

    def run(*arguments: str, data: bytes) -> bytes:
        return subprocess.run([openssl, *arguments], input=data, check=True, capture_output=True).stdout

    def pin(certificate: str) -> str:
        """The pipe that kubeadm's manual gives for a CA's hash."""
        public = run("x509", "-pubkey", "-noout", data=certificate.encode())
        der = run("pkey", "-pubin", "-outform", "DER", data=public)
        return "sha256:" + run("dgst", "-sha256", "-r", data=der).decode().split()[0]

    assert bundle.authorities is not None
    certificates = (bundle.authorities.cluster_ca.certificate, *bundle.trusted_cas)
    assert bundle.ca_hashes == tuple(pin(certificate) for certificate in certificates)
    assert len(bundle.ca_hashes) == 2


def test_kubeadm_lets_one_certificate_sign(bundle: Bundle, tmp_path: Path) -> None:
    files = written(bundle, "control-plane-init")
    patches = tmp_path / "patches"
    patches.mkdir()
    for path, content in files.items():
        if path.startswith("/etc/kubernetes/patches/"):
            (patches / Path(path).name).write_text(content)
    config = tmp_path / "kubeadm.yaml"
    config.write_text(files["/var/lib/imagegen/kubeadm.yaml"].replace("/etc/kubernetes/patches", str(patches)))
    phase = ["init", "phase", "control-plane", "controller-manager", "--dry-run", "--config", str(config)]
    dry = {**os.environ, "KUBEADM_INIT_DRYRUN_DIR": str(tmp_path)}
    subprocess.run([kubeadm("kubeadm"), *phase], check=True, capture_output=True, env=dry)
    pod = yaml.safe_load(next(tmp_path.rglob("kube-controller-manager.yaml")).read_text())["spec"]
    container = pod["containers"][0]
    flags = [flag for flag in container["command"] if flag.startswith("--cluster-signing-cert-file=")]
    assert flags[-1] == "--cluster-signing-cert-file=/etc/kubernetes/signing-ca.crt"
    assert "--root-ca-file=/etc/kubernetes/pki/ca.crt" in container["command"]
    mounts = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/etc/kubernetes/signing-ca.crt"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert [volumes[mount["name"]]["hostPath"]["path"] for mount in mounts] == ["/etc/kubernetes/signing-ca.crt"]

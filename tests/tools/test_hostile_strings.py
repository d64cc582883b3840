"""Texts that tools trip over, from the spec to the node: refused with a diagnostic, or there byte for byte.

cloud-init itself carries them, in Debian's own versions (`cloud-init init`: data source, parser, modules).
"""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen import pipeline
from imagegen.cli.common import load_assets
from imagegen.diagnostics import Diagnostic, Position
from imagegen.secrets.keys import new_authority
from imagegen.spec import EncryptionAlgorithm
from tests.support import rooted
from tests.support.hostile import LARGE, hostile
from tests.support.specs import render, spec
from tests.tools.test_kubeadm import kubeadm
from tools import roots

pytestmark = pytest.mark.tools
ASSETS = load_assets()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A field that takes free text: what a spec with the texts has there, and how they are read off a node's files."""

    sections: Callable[[list[str]], dict[str, Any]]
    paths: Callable[[int], list[str]]
    read: Callable[[dict[str, bytes]], list[Any]]


def written(section: Callable[[list[str]], dict[str, Any]], path: Callable[[int], str]) -> Place:
    """A field whose texts are files."""
    return Place(
        sections=section,
        paths=lambda count: [path(number) for number in range(count)],
        read=lambda files: [content.decode() for content in files.values()],
    )


def set_by(section: Callable[[list[str]], dict[str, Any]], path: str, read: Callable[[bytes], list[Any]]) -> Place:
    """A field whose texts are in one file."""
    return Place(sections=section, paths=lambda _: [path], read=lambda files: read(files[path]))


def numbered(texts: list[str], name: str = "h{}") -> dict[str, str]:
    return {name.format(number): text for number, text in enumerate(texts)}


def in_order(texts: dict[str, Any]) -> list[Any]:
    """The values of a mapping that `numbered` made, among others."""
    return [texts[f"h{number}"] for number in range(len(texts)) if f"h{number}" in texts]


def texts_of(path: Path) -> list[Any]:
    """Every scalar as a text: PyYAML stumbles over `=`."""
    return list(yaml.load_all(path.read_bytes(), yaml.BaseLoader))


def comments(content: bytes) -> list[str]:
    """The comments of keys that `key` made: cloud-init keeps no order."""
    lines = (line.split(" ", 2) for line in content.decode().removesuffix("\n").split("\n"))
    numbered = {int(words[1]): words[2] if len(words) > 2 else "" for words in lines}
    return [numbered[number] for number in range(len(numbered))]


def key(number: int, comment: str) -> str:
    return f"ssh-ed25519 {number:04} {comment}"


def as_kubeadm_reads_it(kind: str, *keys: str) -> Callable[[bytes], list[Any]]:
    """Flags, as the real kubeadm writes a configuration that it has read."""

    def read(content: bytes) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder:
            old, new = Path(folder) / "old.yaml", Path(folder) / "new.yaml"
            old.write_bytes(content)
            command = [str(kubeadm("kubeadm")), "config", "migrate", "--old-config", str(old), "--new-config", str(new)]
            subprocess.run(command, check=True, capture_output=True)
            value = next(document for document in texts_of(new) if document["kind"] == kind)
        for key in keys:
            value = value[key]
        return in_order({argument["name"]: argument["value"] for argument in value})

    return read


KUBEADM = "/var/lib/imagegen/kubeadm.yaml"
PLACES = {
    "files": written(
        lambda texts: {"files": [{"path": f"/hostile/{n}", "content": text} for n, text in enumerate(texts)]},
        "/hostile/{}".format,
    ),
    "runtime.dropIns": written(
        lambda texts: {"runtime": {"dropIns": numbered(texts)}}, "/etc/containerd/conf.d/h{}.toml".format
    ),
    "kubeadm.patches": written(
        lambda texts: {"kubeadm": {"patches": numbered(texts, "etcd{}+json.json")}},
        "/etc/kubernetes/patches/etcd{}+json.json".format,
    ),
    "controlPlane.auditPolicy": set_by(
        lambda texts: {"controlPlane": {"auditPolicy": {"rules": [{"level": "Metadata", "users": texts}]}}},
        "/etc/kubernetes/audit-policy.yaml",
        lambda content: list(yaml.safe_load(content)["rules"][0]["users"]),
    ),
    "kubeadm.apiServer.extraArgs": set_by(
        lambda texts: {"kubeadm": {"apiServer": {"extraArgs": numbered(texts)}}},
        KUBEADM,
        as_kubeadm_reads_it("ClusterConfiguration", "apiServer", "extraArgs"),
    ),
    "kubelet.extraArgs": set_by(
        lambda texts: {"kubelet": {"extraArgs": numbered(texts)}},
        KUBEADM,
        as_kubeadm_reads_it("InitConfiguration", "nodeRegistration", "kubeletExtraArgs"),
    ),
    "kubelet.config": set_by(
        lambda texts: {"kubelet": {"config": {"systemReserved": numbered(texts)}}},
        KUBEADM,
        lambda content: in_order(list(yaml.safe_load_all(content))[-1]["systemReserved"]),
    ),
    "admin.sshAuthorizedKeys": set_by(
        lambda texts: {"admin": {"sshAuthorizedKeys": [key(n, text) for n, text in enumerate(texts)]}},
        "/home/admin/.ssh/authorized_keys",
        comments,
    ),
}


def findings(sections: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """What refuses a spec; each with its place, on one line."""
    cluster, report = pipeline.check(yaml.safe_dump(spec(**sections)), "cluster.yaml", ASSETS)
    assert (cluster is None) == bool(report.diagnostics)
    assert all(finding.position and finding.message.isprintable() for finding in report.diagnostics)
    return report.diagnostics


@functools.cache
def refused(place: str) -> frozenset[str]:
    """The texts that the schema does not take in a place."""
    found = findings(PLACES[place].sections(list(hostile())))
    return frozenset(hostile()[number_in(finding)] for finding in found)


def number_in(finding: Diagnostic) -> int:
    number = re.search("[0-9]+", str(finding.path))
    assert number, finding
    return int(number[0])


@functools.cache
def accepted(place: str) -> list[str]:
    large = LARGE if place == "files" else ()
    return [text for text in (*hostile(), *large) if text not in refused(place)]


@functools.cache
def request() -> dict[str, Any]:
    """User-data of one machine whose spec has every accepted text in every place, and the files that show it."""
    sections: dict[str, Any] = {"trustedCAs": list(authorities()), "registries": [REGISTRY]}
    paths = [*TRUSTED, SYSTEM_S, REGISTRY_FILE]
    for name, place in PLACES.items():
        for section, content in place.sections(accepted(name)).items():
            sections[section] = content if isinstance(content, list) else {**sections.get(section, {}), **content}
        paths += place.paths(len(accepted(name)))
    user_data = render(spec(**sections)).tree["user-data/control-plane-init.yaml"].content
    return {"userData": b64encode(user_data).decode(), "files": paths}


@functools.cache
def booted(suite: str) -> dict[str, bytes]:
    answer = rooted.ask(suite, "boot", request())
    assert (answer["code"], answer["warnings"]) == (0, [])
    return {path: b64decode(content) for path, (_, _, content) in answer["files"].items()}


@functools.cache
def authorities() -> tuple[str, ...]:
    """CA certificates that differ in what comes after their last line; the last are two in one."""
    made = [
        new_authority(f"test-{n}", EncryptionAlgorithm.ECDSA_P256, datetime(2026, 11, 23, tzinfo=UTC)) for n in range(4)
    ]
    one, two, three, four = (authority.certificate.rstrip("\n") for authority in made)
    return one, f"{two}\n", f"{three}\n{four}\n\n\n"


# One file a certificate; before 23.1 one for all, elsewhere. And what programs read.
TRUSTED = [f"/usr/local/share/ca-certificates/cloud-init-ca-cert-{number}.crt" for number in (1, 2, 3)]
TRUSTED += ["/usr/share/ca-certificates/cloud-init-ca-certs.crt"]
SYSTEM_S = "/etc/ssl/certs/ca-certificates.crt"
REGISTRY = {"host": "docker.io", "caCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n\n"}
REGISTRY_FILE = "/etc/containerd/certs.d/docker.io/ca.crt"
SUITES = pytest.mark.parametrize("suite", roots.SUITES)


@SUITES
@pytest.mark.parametrize("place", PLACES)
def test_text_arrives(suite: str, place: str) -> None:
    paths = PLACES[place].paths(len(accepted(place)))
    files = {path: booted(suite)[path] for path in paths}
    for found, text in zip(PLACES[place].read(files), accepted(place), strict=True):
        assert found == text


@pytest.mark.parametrize("place", ["files", "runtime.dropIns", "kubeadm.patches", "controlPlane.auditPolicy"])
def test_files_take_any_text(place: str) -> None:
    assert refused(place) == set()


ONE_LINE = {
    "kubeadm.apiServer.extraArgs": ("a\nb", "a\n", "a\0b", "a\x7f", "\uffff"),
    "kubelet.extraArgs": ("a\n", "it's 'it'", "no blanks", "\\"),
    "admin.sshAuthorizedKeys": ("a\n", "a\u2028b", "\u00a0a", "a ", ""),
}


@pytest.mark.parametrize("place", ONE_LINE)
def test_settings_refuse_what_would_not_arrive(place: str) -> None:
    for text in ONE_LINE[place]:
        assert findings(PLACES[place].sections([text])), repr(text)
    assert "yes" in accepted(place)


POOL = {"name": "workers"}
REFUSED: dict[str, Callable[[str], dict[str, Any]]] = {
    "metadata.name": lambda text: {"metadata": {"name": f"demo{text}"}},
    "nodePools[].labels": lambda text: {"nodePools": [{**POOL, "labels": {"a": f"b{text}"}}]},
    "nodePools[].labels, key": lambda text: {"nodePools": [{**POOL, "labels": {f"b{text}": "a"}}]},
    "nodePools[].taints, key": lambda text: {"nodePools": [{**POOL, "taints": [{"key": text, "effect": "NoExecute"}]}]},
    "nodePools[].taints, value": lambda text: {
        "nodePools": [{**POOL, "taints": [{"key": "a", "value": f"a{text}", "effect": "NoExecute"}]}]
    },
    "controlPlane.certSANs": lambda text: {"controlPlane": {"certSANs": [f"a{text}"]}},
    "network.dnsDomain": lambda text: {"network": {"dnsDomain": f"a{text}"}},
    "kubeadm.ignorePreflightErrors": lambda text: {"kubeadm": {"ignorePreflightErrors": [f"a{text}"]}},
    "registries[].host": lambda text: {"registries": [{"host": f"a{text}"}]},
    "proxy.http": lambda text: {"proxy": {"http": f"http://a{text}"}},
}


@pytest.mark.parametrize("text", ["\n", "\0", " b", "$(reboot)", '"', "'", "\u2028", "🎈" * 100])
@pytest.mark.parametrize("field", REFUSED)
def test_names_refuse_it(field: str, text: str) -> None:
    assert findings(REFUSED[field](text))


@pytest.mark.parametrize("text", ["\n", "\0", "\t", "\u2028", "/"])
def test_paths_refuse_it(text: str) -> None:
    assert findings({"files": [{"path": f"/etc/x{text}", "content": ""}]})


def test_half_a_pair_is_refused_where_it_stands() -> None:
    cluster, report = pipeline.check('kind: Cluster\nmetadata: {name: "\\ud800"}\n', "cluster.yaml", ASSETS)
    assert cluster is None
    (finding,) = report.diagnostics
    assert (finding.code, finding.position) == ("IG001", Position(file="cluster.yaml", line=2, column=18))


@SUITES
def test_authorities_arrive(suite: str) -> None:
    files = booted(suite)
    written = "\n".join(files[path].decode() for path in TRUSTED if path in files)
    assert written == "\n".join(authorities())
    assert all(authority.strip().encode() in files[SYSTEM_S] for authority in authorities()), (
        "not among the system's own"
    )
    assert booted(suite)[REGISTRY_FILE].decode() == REGISTRY["caCertificate"]

"""What user-data says, and to whom."""

from __future__ import annotations

import gzip
import json
import tomllib
from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
import yaml

from imagegen import pipeline
from imagegen.cli.common import load_assets
from tests.support.specs import ENCRYPTION_KEY, fake_bundle, render, spec

ROLES = ("control-plane-init", "control-plane-join", "worker-workers")
HOSTILE = "a: \"b\" 'c' {{ d }} ${e} `f` $(g) %{h}\n# not a comment\ttab\n"


def files(data: dict[str, Any], role: str) -> dict[str, str]:
    """The files that cloud-init would write: path → content."""
    text = render(data).tree[f"user-data/{role}.yaml"].content.decode()
    assert text.startswith("#cloud-config\n")
    entries = yaml.safe_load(text)["write_files"]
    return {
        entry["path"]: b64decode(entry["content"]).decode() if entry.get("encoding") == "b64" else entry["content"]
        for entry in entries
    }


def test_a_worker_holds_no_key_and_no_other_token() -> None:
    two_pools = spec(nodePools=[{"name": "workers"}, {"name": "gpu"}])
    text = render(two_pools).tree["user-data/worker-workers.yaml"].content.decode()
    tokens = fake_bundle("workers", "gpu").tokens
    assert tokens["workers"] in text
    assert "SECRET" not in text
    assert tokens["gpu"] not in text
    assert tokens["control-plane"] not in text


def test_a_joining_control_plane_holds_the_authorities_and_one_token() -> None:
    written = files(spec(), "control-plane-join")
    pki = {path.removeprefix("/var/lib/imagegen/pki/") for path in written if "/pki/" in path}
    authorities = {f"{name}.{kind}" for name in ("ca", "etcd/ca", "front-proxy-ca") for kind in ("crt", "key")}
    assert pki == authorities | {"sa.pub", "sa.key"}
    assert fake_bundle("workers").tokens["workers"] not in "".join(written.values())
    join = yaml.safe_load(written["/var/lib/imagegen/kubeadm.yaml"])
    assert join["controlPlane"] == {}
    assert "certificateKey" not in json.dumps(join)


def test_settings_reach_kubeadm_s_documents() -> None:
    data = spec(
        kubeadm={"ignorePreflightErrors": ["SystemVerification"]},
        kubelet={"config": {"failCgroupV1": False}},
        network={"kubeProxy": {"mode": "iptables", "config": {"conntrack": {"maxPerCore": 0}}}},
    )
    documents = {
        document["kind"]: document
        for document in yaml.safe_load_all(files(data, "control-plane-init")["/var/lib/imagegen/kubeadm.yaml"])
    }
    assert documents["InitConfiguration"]["nodeRegistration"]["ignorePreflightErrors"] == ["SystemVerification"]
    assert documents["KubeletConfiguration"]["failCgroupV1"] is False
    assert documents["KubeProxyConfiguration"]["mode"] == "iptables"
    assert documents["KubeProxyConfiguration"]["conntrack"] == {"maxPerCore": 0}


@pytest.mark.parametrize(
    ("version", "mode"), [("1.31.14", "ipvs"), ("1.34.4", "ipvs"), ("1.35.4", "nftables"), ("1.37.2", "nftables")]
)
def test_kube_proxy_s_mode_is_always_written(version: str, mode: str) -> None:
    text = files(spec(kubernetes={"version": version}), "control-plane-init")["/var/lib/imagegen/kubeadm.yaml"]
    assert f"kind: KubeProxyConfiguration\nmode: {mode}\n" in text


def test_labels_and_taints_reach_the_kubelet() -> None:
    taint = {"key": "gpu", "value": "true", "effect": "NoSchedule"}
    pool = {"name": "gpu", "labels": {"disk": "ssd", "zone": "a"}, "taints": [taint]}
    join = yaml.safe_load(files(spec(nodePools=[pool]), "worker-gpu")["/var/lib/imagegen/kubeadm.yaml"])
    registration = join["nodeRegistration"]
    assert registration["kubeletExtraArgs"] == [{"name": "node-labels", "value": "disk=ssd,zone=a"}]
    assert registration["taints"] == [taint]


@pytest.mark.parametrize(
    "content", [HOSTILE, "x = 1", " lead\n", "trail \n", "two\n\n", "ümlaut\n", "a\r\nb\n", "plain = 1\n", ""]
)
def test_a_file_s_content_arrives_byte_for_byte(content: str) -> None:
    written = files(spec(runtime={"dropIns": {"50-x": content}}), "worker-workers")
    assert written["/etc/containerd/conf.d/50-x.toml"] == content


def test_rendering_twice_gives_the_same_bytes() -> None:
    first, second = render(spec()).tree, render(spec()).tree
    assert list(first) == list(second)


@pytest.mark.parametrize(
    ("provider", "limit", "encoded"),
    [
        ("qemu", None, False),
        ("aws", 16384, True),
        ("alicloud", 32768, True),
        ("gcp", 262144, False),
        ("azure", 65535, True),
        # 65535 and 65536 characters after base64.
        ("openstack", 49149, True),
        ("vsphere", 49152, True),
    ],
)
def test_forms(provider: str, limit: int | None, encoded: bool) -> None:
    tree = render(spec(provider={"type": provider})).tree
    manifest = json.loads(tree["manifest.json"].content)
    assert manifest["userData"]["worker-workers"]["limit"] == limit
    plain = tree["user-data/worker-workers.yaml"].content
    if not encoded:
        assert "user-data/worker-workers.base64" not in tree
    else:
        assert b64decode(tree["user-data/worker-workers.base64"].content) == plain


def big(size: int, provider: str) -> dict[str, Any]:
    """A spec with a file of so many bytes that compresses well."""
    return spec(provider={"type": provider}, files=[{"path": "/etc/big", "content": "padding\n" * (size // 8)}])


@pytest.mark.parametrize(("provider", "longest"), [("openstack", 65535), ("vsphere", 65536)])
def test_a_limit_after_base64_holds(provider: str, longest: int) -> None:
    files = [{"path": "/etc/noise", "content": noise(60_000)}]
    rendering = render(spec(provider={"type": provider}, files=files))
    artifact = next(item for item in rendering.artifacts if item.role == "worker-workers")
    assert artifact.encoded is not None
    assert longest - 30_000 < len(artifact.encoded.strip()) <= longest


@pytest.mark.parametrize("provider", ["aws", "alicloud"])
def test_over_the_limit_files_are_packed_one_by_one(provider: str) -> None:
    rendering = render(big(40_000, provider))
    artifact = next(item for item in rendering.artifacts if item.role == "worker-workers")
    assert artifact.fits
    assert artifact.payload == artifact.plain
    text = rendering.tree["user-data/worker-workers.yaml"].content.decode()
    entry = next(item for item in yaml.safe_load(text)["write_files"] if item["path"] == "/etc/big")
    assert entry["encoding"] == "gz+b64"
    assert gzip.decompress(b64decode(entry["content"])).decode() == "padding\n" * 5000


def noise(size: int) -> str:
    """Text that hardly compresses, the same every time."""
    blocks = (sha256(str(number).encode()).hexdigest() for number in range(size // 64))
    return "\n".join(blocks) + "\n"


def test_the_whole_is_compressed_only_where_gzip_is_known_to_arrive() -> None:
    files = [{"path": f"/etc/noise{number}", "content": noise(13_000)} for number in range(2)]
    packed = next(
        item for item in render(spec(provider={"type": "aws"}, files=files)).artifacts if "worker" in item.role
    )
    assert packed.fits
    assert packed.suffix == "gz.base64"
    assert packed.encoded is not None
    assert gzip.decompress(b64decode(packed.encoded)) == packed.plain


def test_too_much_is_refused_with_the_largest_files() -> None:
    data = spec(provider={"type": "alicloud"}, files=[{"path": "/etc/noise", "content": noise(80_000)}])
    assets = load_assets()
    cluster, _ = pipeline.check(yaml.safe_dump(data), "cluster.yaml", assets)
    assert cluster is not None
    rendering, report = pipeline.render(cluster, fake_bundle("workers"), assets)
    assert rendering is None
    assert {finding.code for finding in report.diagnostics} == {"IG401"}
    assert "largest: /etc/noise (" in str(report.diagnostics[0].hint)


def test_a_fixed_node_gets_a_seed() -> None:
    tree = render(spec()).tree
    assert tree["nocloud/worker1/user-data"].content == tree["user-data/worker-workers.yaml"].content
    meta = yaml.safe_load(tree["nocloud/worker1/meta-data"].content)
    assert meta == {"instance-id": "demo-worker1-00000000", "local-hostname": "worker1"}
    network = yaml.safe_load(tree["nocloud/worker1/network-config"].content)
    assert network["ethernets"]["primary"]["addresses"] == ["192.168.0.243/24"]


def test_secret_files_are_private() -> None:
    for path, file in render(spec()).tree:
        if b"SECRET key" in file.content or b"secrettoken" in file.content:
            assert file.mode == 0o600, path


def documents(data: dict[str, Any], role: str = "control-plane-init") -> dict[str, Any]:
    """Documents that kubeadm reads, by kind."""
    found = yaml.safe_load_all(files(data, role)["/var/lib/imagegen/kubeadm.yaml"])
    return {document["kind"]: document for document in found}


def test_secrets_in_etcd_are_encrypted_on_control_planes_alone() -> None:
    data = spec(controlPlane={"encryptSecrets": True})
    path = "/etc/kubernetes/encryption-config.yaml"
    config = yaml.safe_load(files(data, "control-plane-join")[path])
    key = config["resources"][0]["providers"][0]["secretbox"]["keys"][0]["secret"]
    assert key == ENCRYPTION_KEY
    assert path not in files(data, "worker-workers")
    server = documents(data)["ClusterConfiguration"]["apiServer"]
    assert {"name": "encryption-provider-config", "value": path} in server["extraArgs"]
    assert server["extraVolumes"][0]["hostPath"] == path


def test_older_kubeadm_reads_v1beta3() -> None:
    data = spec(kubernetes={"version": "1.30.14"}, kubelet={"extraArgs": {"v": "4"}}, controlPlane={"certSANs": ["a"]})
    found = documents(data)
    assert {document["apiVersion"] for kind, document in found.items() if kind != "KubeProxyConfiguration"} == {
        "kubeadm.k8s.io/v1beta3"
    }
    assert found["InitConfiguration"]["nodeRegistration"]["kubeletExtraArgs"] == {"v": "4"}
    assert found["ClusterConfiguration"]["apiServer"] == {"certSANs": ["a"], "timeoutForControlPlane": "10m0s"}
    assert found["ClusterConfiguration"]["featureGates"] == {"PublicKeysECDSA": True}
    assert "encryptionAlgorithm" not in found["ClusterConfiguration"]
    assert documents(data, "worker-workers")["JoinConfiguration"]["discovery"]["timeout"] == "10m0s"


def test_the_users_flags_win() -> None:
    audit = {"auditPolicy": {"rules": [{"level": "None"}]}}
    data = spec(controlPlane=audit, kubeadm={"apiServer": {"extraArgs": {"audit-log-maxage": "1"}}})
    arguments = documents(data)["ClusterConfiguration"]["apiServer"]["extraArgs"]
    assert [item["value"] for item in arguments if item["name"] == "audit-log-maxage"] == ["1"]


def test_workers_follow_the_control_planes_that_serve_the_time() -> None:
    data = spec(time={"servers": ["ntp.example.com"], "serve": True})
    path = "/etc/chrony/sources.d/imagegen.sources"
    assert files(data, "worker-workers")[path] == "server 192.168.0.242 iburst\n"
    plane = files(data, "control-plane-init")
    assert plane[path] == "server ntp.example.com iburst\n"
    assert plane["/etc/chrony/conf.d/imagegen.conf"] == "allow 192.168.0.0/24\nlocal stratum 10\n"


def test_a_file_reaches_its_roles_alone() -> None:
    data = spec(files=[{"path": "/etc/motd", "content": "hello\n", "roles": ["control-plane"]}])
    assert files(data, "control-plane-join")["/etc/motd"] == "hello\n"
    assert "/etc/motd" not in files(data, "worker-workers")


def test_registries() -> None:
    data = spec(registries=[{"host": "docker.io", "mirrors": ["https://a.example", "https://b.example"]}])
    hosts = files(data, "worker-workers")["/etc/containerd/certs.d/docker.io/hosts.toml"]
    parsed = tomllib.loads(hosts)
    assert parsed["server"] == "https://registry-1.docker.io"
    assert list(parsed["host"]) == ["https://a.example", "https://b.example"]


def test_nothing_of_the_cluster_goes_through_a_proxy() -> None:
    data = spec(proxy={"https": "http://proxy.example.com:3128", "noProxy": ["registry.example.com"]})
    lines = dict(line.split("=", 1) for line in files(data, "worker-workers")["/etc/imagegen/proxy.env"].splitlines())
    assert lines["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert "HTTP_PROXY" not in lines
    direct = lines["NO_PROXY"].split(",")
    assert {"192.168.0.0/24", "10.244.0.0/16", "10.96.0.0/12", "192.168.0.242", ".svc", ".cluster.local"} <= set(direct)
    assert direct[-1] == "registry.example.com"


def test_a_disk_for_etcd_is_formatted_mounted_and_forgiven_its_lost_and_found() -> None:
    data = spec(controlPlane={"disks": [{"device": "/dev/vdb", "mountPath": "/var/lib/etcd"}]})
    tree = render(data).tree
    config = yaml.safe_load(tree["user-data/control-plane-init.yaml"].content)
    assert config["fs_setup"] == [
        {"device": "/dev/vdb", "filesystem": "ext4", "partition": "none", "overwrite": False},
    ]
    assert config["mounts"] == [["/dev/vdb", "/var/lib/etcd", "ext4", "defaults,nofail", "0", "2"]]
    registration = documents(data)["InitConfiguration"]["nodeRegistration"]
    assert registration["ignorePreflightErrors"] == ["DirAvailable--var-lib-etcd"]
    assert b"fs_setup" not in tree["user-data/worker-workers.yaml"].content


@pytest.mark.parametrize("role", ["control-plane-init", "control-plane-join"])
@pytest.mark.parametrize("taints", [None, [], [{"key": "only", "value": "system", "effect": "NoSchedule"}]])
def test_taints_of_control_planes(taints: list[dict[str, str]] | None, role: str) -> None:
    plane = {} if taints is None else {"taints": taints}
    written = files(spec(controlPlane=plane), role)
    registrations = [
        document["nodeRegistration"]
        for path, text in written.items()
        if path.startswith("/var/lib/imagegen/kubeadm")
        for document in yaml.safe_load_all(text)
        if "nodeRegistration" in document
    ]
    assert registrations
    # Without the key kubeadm sets its own; with an empty list it sets none.
    assert [registration.get("taints") for registration in registrations] == [taints] * len(registrations)


def test_the_admin_of_control_planes_is_named_to_them() -> None:
    data = spec(admin={"user": "ops", "sshAuthorizedKeys": ["ssh-ed25519 AAAA a"]})
    roles = ("control-plane-init", "control-plane-join", "worker-workers")
    nodes = [json.loads(files(data, role)["/etc/imagegen/node.json"]) for role in roles]
    assert [node.get("admin") for node in nodes] == ["ops", "ops", None]
    assert "admin" not in json.loads(files(spec(), "control-plane-init")["/etc/imagegen/node.json"])


@pytest.mark.parametrize(
    ("provider", "plane", "pool", "kept"),
    [
        ({"type": "alicloud"}, {}, {}, ("100.100.100.200", None)),
        ({"type": "aws"}, {}, {}, ("169.254.169.254 fd00:ec2::254", None)),
        ({"type": "aws"}, {"metadataAccess": "pods"}, {}, (None, None)),
        ({"type": "openstack"}, {}, {"metadataAccess": "host"}, ("169.254.169.254", "169.254.169.254")),
        ({"type": "qemu"}, {}, {}, (None, None)),
        ({"type": "qemu", "metadataOptions": {"addresses": ["192.0.2.1"]}}, {}, {}, ("192.0.2.1", None)),
        (
            {"type": "alicloud", "metadataOptions": {"addresses": ["100.100.100.200", "192.0.2.1"]}},
            {},
            {},
            ("100.100.100.200 192.0.2.1", None),
        ),
    ],
    ids=[
        "default",
        "both families",
        "given to pods",
        "a pool, too",
        "no such service",
        "a cloud of one's own",
        "further",
    ],
)
def test_pods_are_kept_from_the_metadata_service(
    provider: dict[str, Any], plane: dict[str, str], pool: dict[str, str], kept: tuple[str | None, str | None]
) -> None:
    data = spec(provider=provider, controlPlane=plane, nodePools=[{"name": "workers", **pool}])
    settings = [files(data, role).get("/etc/imagegen/metadata.env") for role in ROLES]
    wanted = [None if addresses is None else f"ADDRESSES={addresses}\n" for addresses in kept]
    # Both roles of control planes, and the pool's.
    assert settings == [wanted[0], *wanted]

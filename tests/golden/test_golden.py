"""User-data of every role, kept as files: what a change does to nodes is seen in review."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.specs import SPEC, render, spec

HERE = Path(__file__).parent
THREE = [{"name": f"cp{number}", "address": f"192.168.0.{number}"} for number in (1, 2, 3)]
ADMIN = {"sshAuthorizedKeys": ["ssh-ed25519 AAAA someone@example.com"]}

CASES: dict[str, dict[str, Any]] = {
    "small-1.37": spec(),
    "old-1.31-debian-13": spec(kubernetes={"version": "1.31.14"}, image={"os": "debian-13"}),
    "three-control-planes-alicloud": spec(
        provider={"type": "alicloud", "region": "cn-hangzhou"},
        kubernetes={"version": "1.36.3", "imageRepository": "registry.aliyuncs.com/google_containers"},
        controlPlane={"endpoint": "api.example.com:6443", "nodes": THREE, "certSANs": ["10.0.0.1"]},
        admin=ADMIN,
    ),
    "unusual-machines-aws": spec(
        provider={"type": "aws", "region": "eu-west-1"},
        runtime={"dropIns": {"50-oom": "[plugins.'io.containerd.cri.v1.runtime']\n  restrict_oom_score_adj = true\n"}},
        network={"kubeProxy": {"mode": "iptables", "config": {"conntrack": {"maxPerCore": 0}}}},
        kubelet={"config": {"failCgroupV1": False}},
        kubeadm={"ignorePreflightErrors": ["SystemVerification"]},
        nodePools=[
            {
                "name": "gpu",
                "labels": {"a": "b"},
                "taints": [{"key": "gpu", "effect": "NoSchedule"}],
                "nodeName": "prefix+instance-id",
            }
        ],
        hooks={
            "preKubeadm": [{"name": "driver", "script": "#!/bin/sh\nmodprobe nvidia\n", "roles": ["gpu"]}],
            "postKubeadm": [{"name": "note", "script": '#!/bin/sh\necho "$IMAGEGEN_NODE_NAME"\n'}],
        },
    ),
}
CASES["shared-control-plane-aws"] = spec(
    provider={"type": "aws", "region": "eu-west-1"},
    controlPlane={
        "endpoint": "api.example.com:6443",
        "nodes": [],
        "replicas": 3,
        "userData": "shared",
        "firstNode": "192.168.0.10",
        "taints": [],
    },
)
CASES["three-control-planes-keepalived"] = spec(
    controlPlane={
        "endpoint": "192.168.0.250:8443",
        "nodes": THREE,
        "highAvailability": {"type": "keepalived"},
    },
)
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
DATA_DISK = [{"device": "/dev/vdb", "mountPath": "/data", "filesystem": "xfs"}]
ETCD_DISK = [{"device": "/dev/vdb", "mountPath": "/var/lib/etcd"}]
CASES["everything-1.30"] = spec(
    kubernetes={"version": "1.30.14"},
    controlPlane={
        **SPEC["controlPlane"],
        "auditPolicy": {"rules": [{"level": "Metadata"}]},
        "encryptSecrets": True,
        "etcdSnapshots": {"interval": "90m", "keep": 24},
        "disks": ETCD_DISK,
    },
    kubelet={
        "config": {"maxPods": 64},
        "extraArgs": {"v": "4"},
        "servingCertificates": {"approver": "imagegen"},
        "credentialProviders": {
            "binDir": "/opt/credential-providers",
            "providers": [
                {
                    "name": "ecr-credential-provider",
                    "matchImages": ["*.dkr.ecr.*.amazonaws.com"],
                    "defaultCacheDuration": "12h0m0s",
                    "args": ["get-credentials"],
                    "env": [{"name": "AWS_PROFILE", "value": "default"}],
                }
            ],
        },
    },
    nodePools=[{"name": "workers", "disks": DATA_DISK}],
    kubeadm={
        "certificateRenewal": "none",
        "apiServer": {"extraArgs": {"profiling": "false"}},
        "etcd": {"extraArgs": {"auto-compaction-retention": "8"}},
        "patches": {"kube-apiserver0+merge.yaml": "metadata:\n  labels:\n    a: b\n"},
    },
    registries=[{"host": "docker.io", "mirrors": ["https://mirror.example.com"], "caCertificate": CA}],
    trustedCAs=[CA],
    time={"servers": ["ntp.example.com"], "serve": True},
    files=[{"path": "/etc/motd", "content": "hello\n", "permissions": "0600", "roles": ["workers"]}],
    admin=ADMIN,
)
SERVED = {
    "install": "stock",
    "stock": {"url": "https://bucket.example.com/stock"},
    "bundle": {"url": "https://bucket.example.com/bundle", "sha256": "0" * 64},
}
for _provider in ({"type": "alicloud", "region": "cn-hangzhou"}, {"type": "aws", "region": "eu-west-1"}):
    CASES[f"stock-{_provider['type']}"] = spec(
        provider=_provider,
        image=SERVED,
        controlPlane={"endpoint": "api.example.com:6443", "nodes": [], "replicas": 3},
        nodePools=[{"name": "workers", "replicas": 3}],
        time={"servers": ["ntp.example.com"]},
    )
CASES["everything-1.37"] = {**CASES["everything-1.30"], "kubernetes": {"version": "1.37.2"}}

ROLES = [
    (case, path.removeprefix("user-data/").removesuffix(".yaml"))
    for case, data in CASES.items()
    for path, _ in render(data).tree
    if path.startswith("user-data/") and path.endswith(".yaml")
]


@pytest.mark.parametrize(("case", "role"), ROLES)
def test_user_data(case: str, role: str, request: pytest.FixtureRequest) -> None:
    content = render(CASES[case]).tree[f"user-data/{role}.yaml"].content.decode()
    # Every change of a script is another payload; what is in it is not user-data's to show.
    content = re.sub(r"[0-9a-f]{64}(?=\.json\.xz\"|\",?\n\s*(\"keep\"|}))", "<sha256>", content)
    golden = HERE / case / f"{role}.yaml"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(content)
        pytest.fail("recorded; run again without --update-golden")
    assert content == golden.read_text()


def test_no_golden_is_left_over() -> None:
    kept = {(path.parent.name, path.stem) for path in HERE.glob("*/*.yaml")}
    assert kept == set(ROLES)

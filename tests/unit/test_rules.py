"""Rules that no shipped system can break, and specs that are close to wrong and right all the same."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen import assets, pipeline
from imagegen.catalog import Catalog
from imagegen.cli.common import load_assets
from imagegen.decode import decode_cluster
from imagegen.diagnostics import Severity
from imagegen.rules import RULES, check_rules
from tests.golden.test_golden import CASES
from tests.support.specs import SPEC, fake_bundle, render, spec

ROOT = Path(__file__).parents[2]
FOUND_LATE = re.compile(r"IG2[4-6]\d")


def codes(data: dict[str, Any], catalog: Catalog | None = None) -> list[str]:
    """The codes of what is wrong with a spec."""
    cluster = decode_cluster(data, {})
    return [finding.code for finding in check_rules(cluster, catalog or assets.catalog())]


def with_system(**facts: Any) -> Catalog:
    """The catalog, with another debian-12."""
    catalog = assets.catalog()
    system = replace(catalog.systems["debian-12"], **facts)
    return replace(catalog, systems={**catalog.systems, "debian-12": system})


EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_have_no_findings(path: Path) -> None:
    _, report = pipeline.check(path.read_text(), str(path), load_assets(), lambda name: Path(name).read_text())
    assert not [finding for finding in report.diagnostics if FOUND_LATE.fullmatch(finding.code)]


@pytest.mark.parametrize("case", CASES)
def test_goldens_have_no_findings(case: str) -> None:
    assert not list(filter(FOUND_LATE.fullmatch, codes(CASES[case])))


GATE = {"NFTablesProxyMode": True}
SCALING = {"min": 0, "max": 5}
TAINT = {"key": "gpu", "effect": "NoSchedule"}
NODES = {"nodeCIDRs": ["192.168.0.0/24"]}
PROVIDER = {"name": "a", "matchImages": ["a.example.com"], "defaultCacheDuration": "1h"}
TOKEN: dict[str, Any] = {"serviceAccountTokenAudience": "a", "requireServiceAccount": True}
CACHED = {**TOKEN, "cacheType": "Token"}
PROGRAM = "/usr/local/lib/kubelet/credential-providers/a"
FULL = "HTTP_PROXY=http://p:1\nNO_PROXY=localhost,192.168.0.0/16,10.0.0.0/8\n"


def version(number: str) -> dict[str, Any]:
    """The section that names a version."""
    return {"kubernetes": {"version": number}}


def gates(component: str, text: str) -> dict[str, Any]:
    """A control-plane component's feature gates."""
    return {"kubeadm": {component: {"extraArgs": {"feature-gates": text}}}}


RIGHT: dict[str, dict[str, Any]] = {
    "nftables from 1.31": spec(**version("1.31.14"), network={"kubeProxy": {"mode": "nftables"}}),
    "nftables behind its gate": spec(
        **version("1.30.14"), network={"kubeProxy": {"mode": "nftables", "config": {"featureGates": GATE}}}
    ),
    "a gate before it went": spec(**version("1.28.15"), kubelet={"config": {"featureGates": {"SeccompDefault": True}}}),
    "a gate that is there": spec(**gates("scheduler", "SchedulerAsyncPreemption=true,APIServerIdentity=false")),
    "a gate of nobody's list": spec(**gates("controllerManager", "WatchListClient=false")),
    "a locked gate at its value": spec(kubelet={"config": {"featureGates": {"NodeSwap": True}}}),
    "a gate before it was locked": spec(**version("1.33.13"), **gates("apiServer", "NodeSwap=false")),
    "gates that are no mapping": spec(kubelet={"config": {"featureGates": ["NodeSwap"]}}),
    "a flag before it went": spec(
        **version("1.26.15"), kubeadm={"controllerManager": {"extraArgs": {"pod-eviction-timeout": "1m"}}}
    ),
    "a name for the one machine": spec(nodePools=[], kubelet={"extraArgs": {"hostname-override": "cp1"}}),
    "an address of nobody": spec(kubelet={"extraArgs": {"node-ip": "::"}}),
    "the largest ranges": spec(network={"podCIDR": "10.0.0.0/8", "serviceCIDR": "172.16.0.0/12"}),
    "the largest ranges of IPv6": spec(
        network={"nodeCIDRs": ["192.168.0.0/24", "fd00::/64"], "podCIDR": "fd01::/48", "serviceCIDR": "fd02::/108"}
    ),
    "a large range for large nodes": spec(
        network={"podCIDR": "fd01::/40", "serviceCIDR": "fd02::/108", "nodeCIDRs": ["192.168.0.0/24", "fd00::/64"]},
        kubeadm={"controllerManager": {"extraArgs": {"node-cidr-mask-size-ipv6": "56"}}},
    ),
    "a small range for small nodes": spec(
        network={"podCIDR": "10.244.0.0/24"},
        kubeadm={"controllerManager": {"extraArgs": {"node-cidr-mask-size": "26"}}},
    ),
    "no ranges for nodes, and no flannel": spec(
        network={"cni": "none", "podCIDR": "10.0.0.0/7", "serviceCIDR": "172.16.0.0/16"},
        kubeadm={"controllerManager": {"extraArgs": {"allocate-node-cidrs": "false"}}},
    ),
    "a VPC around the nodes": spec(network={"vpcCIDRs": ["192.168.0.0/16"]}),
    "a VPC without IPv6": spec(network={**NODES, "vpcCIDRs": ["192.168.0.0/16"]}),
    "tokens that cloud-init knows": spec(
        provider={"type": "alicloud", "metadataOptions": {"httpTokens": "required"}}, image={"os": "debian-13"}
    ),
    "tokens as they please": spec(provider={"type": "alicloud", "metadataOptions": {"httpTokens": "optional"}}),
    "EC2's tokens": spec(provider={"type": "aws", "metadataOptions": {"httpTokens": "required"}}),
    "a tagged pool": spec(
        provider={"type": "aws"},
        bootstrap={"tokenRenewal": "scheduled"},
        nodePools=[{"name": "gpu", "scaling": {**SCALING, "nodeTemplateTags": True}, "taints": [TAINT]}],
    ),
    "a pool that is never empty": spec(
        provider={"type": "alicloud"},
        bootstrap={"tokenRenewal": "scheduled"},
        nodePools=[{"name": "gpu", "scaling": {"min": 1, "max": 5}, "taints": [TAINT]}],
    ),
    "a proxy with the ranges": spec(files=[{"path": "/etc/environment", "content": FULL}]),
    "a proxy of no program's environment": spec(
        files=[{"path": "/etc/apt/apt.conf.d/proxy", "content": "http_proxy=http://p:1\n"}]
    ),
    "no proxy at all": spec(files=[{"path": "/etc/environment", "content": "# http_proxy=http://p:1\nA=b\n"}]),
    "a proxy for nothing": spec(
        files=[{"path": "/etc/environment", "content": "https_proxy=http://p:1\nno_proxy='*'\n"}]
    ),
    "checks in any case": spec(kubeadm={"ignorePreflightErrors": ["NumCPU", "mem", "Port-10250", "DirAvailable-x"]}),
    "all checks": spec(kubeadm={"ignorePreflightErrors": ["all"]}),
    "sysctls as they are": spec(
        files=[{"path": "/etc/sysctl.d/90.conf", "content": "net/ipv4/ip_forward=1\nvm.swappiness=10\n"}]
    ),
    "a provider": spec(
        **version("1.34.11"),
        kubelet={"credentialProviders": {"providers": [{**PROVIDER, "tokenAttributes": CACHED}]}},
        files=[{"path": PROGRAM, "content": "#!/bin/sh\n", "permissions": "0755"}],
    ),
    "tokens behind their gate": spec(
        **version("1.33.13"),
        kubelet={
            "config": {"featureGates": {"KubeletServiceAccountTokenForCredentialProviders": True}},
            "credentialProviders": {"providers": [{**PROVIDER, "tokenAttributes": TOKEN}]},
        },
    ),
    "as many machines as nodes": spec(nodePools=[{**SPEC["nodePools"][0], "replicas": 1}]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_has_no_findings(name: str) -> None:
    assert set(codes(RIGHT[name])) <= {"IG202"}


@pytest.mark.parametrize("size", ["999999", "²", "", "many", "33"])
def test_a_node_mask_that_is_none_is_the_components_business(size: str) -> None:
    arguments = {"extraArgs": {"node-cidr-mask-size": size}}
    assert set(codes(spec(kubeadm={"controllerManager": arguments}))) <= {"IG249"}


@pytest.mark.parametrize("value", [[], 7, "x", None, {"a": []}])
def test_what_is_passed_through_may_be_anything(value: object) -> None:
    config = dict.fromkeys(("featureGates", "mode", "failCgroupV1", "providerID"), value)
    codes(spec(kubelet={"config": config}, network={"kubeProxy": {"config": config}}), with_system(cgroup=1))


OLD_KUBELET = {**version("1.34.11")}
SYSTEM_CHECK = {"ignorePreflightErrors": ["SystemVerification"]}
ALLOWED = {"config": {"failCgroupV1": False}}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, ["IG241"]),
        (OLD_KUBELET, []),
        ({**OLD_KUBELET, "kubelet": {"config": {"failCgroupV1": True}}}, ["IG241"]),
        ({"kubelet": ALLOWED}, ["IG241"]),
        ({"kubeadm": SYSTEM_CHECK}, ["IG241"]),
        ({"kubelet": ALLOWED, "kubeadm": SYSTEM_CHECK}, []),
    ],
)
def test_cgroup_v1(sections: dict[str, Any], expected: list[str]) -> None:
    assert [code for code in codes(spec(**sections), with_system(cgroup=1)) if code != "IG202"] == expected


@pytest.mark.parametrize(
    ("kernel", "number", "expected"),
    [
        ("4.18", "1.31.14", None),
        ("4.18", "1.32.13", Severity.ERROR),
        ("5.14", "1.32.13", None),
        ("5.14", "1.33.13", Severity.ERROR),
        ("5.15", "1.33.13", None),
        ("5.14", "1.37.2", Severity.WARNING),
        ("7.0", "1.37.2", None),
    ],
)
def test_kernels(kernel: str, number: str, expected: Severity | None) -> None:
    cluster = decode_cluster(spec(**version(number)), {})
    found = [finding for finding in check_rules(cluster, with_system(kernel=kernel)) if finding.code == "IG243"]
    assert [finding.severity for finding in found] == ([expected] if expected else [])
    ignoring = decode_cluster(spec(**version(number), kubeadm=SYSTEM_CHECK), {})
    assert "IG243" not in {finding.code for finding in check_rules(ignoring, with_system(kernel=kernel))}


def test_nftables_on_an_old_kernel() -> None:
    chosen = spec(network={"kubeProxy": {"mode": "nftables"}})
    old = with_system(kernel="5.10", nftables_mode=False)
    assert codes(chosen, old) == ["IG240"]
    # Nobody chose it: the planner takes iptables there.
    assert codes(spec(), old) == []


@pytest.mark.parametrize(
    ("containerd", "number", "expected"),
    [
        ("1.7.27", "1.34.11", True),
        ("1.7.28", "1.34.11", False),
        ("2.0.5", "1.34.11", True),
        ("2.2.0", "1.34.11", False),
        ("1.7.30", "1.36.4", True),
        ("2.3.0", "1.36.4", False),
        ("1.6.0", "1.37.2", False),  # nothing is known
    ],
)
def test_containerd(containerd: str, number: str, expected: bool) -> None:
    catalog = replace(assets.catalog(), image=replace(assets.catalog().image, containerd=containerd))
    assert ("IG242" in codes(spec(**version(number)), catalog)) is expected


def test_the_catalog_knows_the_containerd_that_is_bundled() -> None:
    pinned = re.search(r"containerd/v2 v(\S+)", (ROOT / "tools" / "containerd" / "go.mod").read_text())
    assert pinned
    assert pinned[1] == assets.catalog().image.containerd


def test_every_gate_went_after_it_came() -> None:
    facts = assets.catalog().feature_gates
    for gate, since in facts.removed.items():
        minors = [facts.added.get(gate, "1.0"), facts.locked.get(gate, ("1.0", True))[0]]
        assert all(int(minor.split(".")[1]) < int(since.split(".")[1]) or minor == "1.24" for minor in minors), gate


def test_no_rule_stands_twice() -> None:
    assert len(set(RULES)) == len(RULES)


@pytest.mark.parametrize(("number", "api"), [("1.25.16", "v1beta1"), ("1.26.15", "v1"), ("1.37.2", "v1")])
def test_credential_providers_speak_the_kubelets_api(number: str, api: str) -> None:
    data = spec(**version(number), kubelet={"credentialProviders": {"providers": [PROVIDER]}})
    rendering = render(data)
    for role in rendering.plan.roles:
        (config,) = (file for file in role.files if file.path.endswith("/credential-provider-config.yaml"))
        assert isinstance(config.content, dict)
        assert config.content["apiVersion"] == f"kubelet.config.k8s.io/{api}"
        (provider,) = config.content["providers"]
        assert provider["apiVersion"] == f"credentialprovider.kubelet.k8s.io/{api}"
        assert role.kubeadm.kubelet_args["image-credential-provider-config"] == config.path
        assert PROGRAM.startswith(role.kubeadm.kubelet_args["image-credential-provider-bin-dir"])


def test_all_preflight_errors_stand_alone() -> None:
    disks = [{"device": "/dev/vdb", "mountPath": "/var/lib/etcd"}]
    data = spec(controlPlane={**SPEC["controlPlane"], "disks": disks}, kubeadm={"ignorePreflightErrors": ["All"]})
    assert {role.ignore_preflight_errors for role in render(data).plan.roles} == {("All",)}


def test_the_readme_says_how_machines_are_to_be_started() -> None:
    wanted = "HttpTokens=required"
    data = spec(provider={"type": "aws", "metadataOptions": {"httpTokens": "required"}})
    assert wanted in render(data).tree["README.md"].content.decode()
    assert "HttpTokens" not in render(spec()).tree["README.md"].content.decode()


def test_right_specs_render() -> None:
    # What passes the rules must not fail behind them.
    for data in RIGHT.values():
        text = yaml.safe_dump(data)
        cluster, report = pipeline.check(text, "cluster.yaml", load_assets())
        if cluster is None:
            assert {finding.code for finding in report.diagnostics} <= {"IG103"}, text
            continue
        rendering, _ = pipeline.render(cluster, fake_bundle(*(pool.name for pool in cluster.node_pools)), load_assets())
        assert rendering

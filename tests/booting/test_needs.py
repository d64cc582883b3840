"""What a host wants of a spec is asked for, as lines that a spec takes, and only where it is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from imagegen.booting.needs import Asked, Host, find_needs, merged
from imagegen.cli.common import load_assets
from imagegen.planner import decide
from tests.cluster.site import TEMPLATE
from tests.support.specs import checked, spec

# As in a container without CAP_SYS_RESOURCE on a host with control groups of version 1.
POOR = Host(unified=False, lowers_oom_scores=False, swaps=True, proxy_modes=frozenset())
RICH = Host(unified=True, lowers_oom_scores=True, swaps=False, proxy_modes=frozenset({"nftables", "ipvs"}))


def asked(document: dict[str, Any], host: Host, config_version: int = 3) -> Asked:
    cluster = decide(checked(document), load_assets().catalog)
    return Asked(cluster=cluster, config_version=config_version, host=host)


def test_a_spec_with_all_that_was_asked_for_is_asked_for_nothing() -> None:
    strict = spec(kubelet={"config": {"failCgroupV1": True}}, network={"kubeProxy": {"mode": "ipvs"}})
    wanted = merged(find_needs(asked(strict, POOR)))
    assert wanted["kubelet"] == {"config": {"failCgroupV1": False, "failSwapOn": False}}
    assert wanted["network"]["kubeProxy"] == {"mode": "iptables", "config": {"conntrack": {"maxPerCore": 0}}}
    assert set(wanted) == {"runtime", "kubelet", "kubeadm", "network"}
    assert find_needs(asked(spec(**_over(strict, wanted)), POOR)) == ()


def _over(document: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {key: {**document.get(key, {}), **value} for key, value in wanted.items()}


def test_the_lab_s_spec_has_what_it_needs() -> None:
    document = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    assert find_needs(asked(document, replace(POOR, swaps=False))) == ()


def test_a_rich_host_asks_for_two() -> None:
    assert merged(find_needs(asked(spec(), RICH))) == {
        "kubeadm": {"ignorePreflightErrors": ["SystemVerification"]},
        "network": {"kubeProxy": {"config": {"conntrack": {"maxPerCore": 0}}}},
    }


@pytest.mark.parametrize(("version", "table"), [(2, "io.containerd.grpc.v1.cri"), (3, "io.containerd.cri.v1.runtime")])
def test_the_drop_in_is_in_the_form_of_its_containerd(version: int, table: str) -> None:
    text = merged(find_needs(asked(spec(), POOR, version)))["runtime"]["dropIns"]["10-local"]
    assert table in text
    assert f"version = {version}\n" in text


def test_errors_that_are_ignored_already_stay_so() -> None:
    document = spec(kubeadm={"ignorePreflightErrors": ["NumCPU"]})
    assert merged(find_needs(asked(document, RICH)))["kubeadm"] == {
        "ignorePreflightErrors": ["NumCPU", "SystemVerification"]
    }

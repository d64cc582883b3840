"""Under a kernel of its own: a module or sysctl whose line is dropped turns its check red, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vm.boots import KERNEL

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

# Where a module's line is dropped, so are those of the modules that would bring it along.
BRINGS = {"nf_conntrack": "ip_vs", "ip_vs": "ip_vs"}
# Keys that the kernel has only while the module is loaded.
OWNS = {"br_netfilter": "net.bridge."}


Red = dict[str, dict[str, list[str]]]


@pytest.fixture
def red(booted: dict[str, Any]) -> Red:
    """Names of the red checks by kind and by what was dropped."""
    found: Red = booted["dropped"]
    return found


def test_nothing_is_red_on_the_booted_image(red: Red) -> None:
    assert [red[kind][""] for kind in KERNEL] == [[], []]


def test_a_dropped_module_is_red(red: Red, declared: dict[str, Any]) -> None:
    expected = {
        name: sorted(
            [other for other in declared["modules"] if other == name or other.startswith(BRINGS.get(name, "-"))]
            + [key for key in declared["sysctls"] if key.startswith(OWNS.get(name, "-"))]
        )
        for name in declared["modules"]
    }
    assert {name: names for name, names in red["modules"].items() if name} == expected


def test_a_dropped_sysctl_is_red(red: Red, declared: dict[str, Any]) -> None:
    assert {key: names for key, names in red["sysctls"].items() if key} == {key: [key] for key in declared["sysctls"]}

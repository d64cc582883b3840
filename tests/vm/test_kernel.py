"""Under a kernel of its own: a module or sysctl whose line is dropped turns its check red, and no other."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

KINDS = ("modules", "sysctls")
# Where a module's line is dropped, so are those of the modules that would bring it along.
BRINGS = {"nf_conntrack": "ip_vs", "ip_vs": "ip_vs"}


def test_nothing_is_red_before(booted: dict[str, Any]) -> None:
    assert [booted["dropped"][kind][""] for kind in KINDS] == [[], []]


def test_a_dropped_module_is_red(booted: dict[str, Any], declared: dict[str, Any]) -> None:
    expected = {
        name: sorted(other for other in declared["modules"] if other == name or other.startswith(BRINGS.get(name, "-")))
        for name in declared["modules"]
    }
    assert {name: red for name, red in booted["dropped"]["modules"].items() if name} == expected


def test_a_dropped_sysctl_is_red(booted: dict[str, Any], declared: dict[str, Any]) -> None:
    assert {key: red for key, red in booted["dropped"]["sysctls"].items() if key} == {
        key: [key] for key in declared["sysctls"]
    }

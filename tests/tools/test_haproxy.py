"""Debian's haproxy reads what control planes are given for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import missing
from tests.support.specs import render, spec

pytestmark = pytest.mark.tools

FAMILIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "IPv4": ({}, "192.168.0.250:8443", "192.168.0.1{}"),
    "IPv6": (
        {"nodeCIDRs": ["fd00:1::/64"], "podCIDR": "fd00:2::/56", "serviceCIDR": "fd00:3::/112"},
        "[fd00:1::250]:8443",
        "fd00:1::1{}",
    ),
}


@pytest.fixture
def haproxy() -> str:
    found = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if not found:
        missing("haproxy")
    return found or ""


def configuration(family: str) -> str:
    """What control planes have of it in a cluster whose addresses are of this family."""
    network, endpoint, address = FAMILIES[family]
    nodes = [{"name": f"cp{number}", "address": address.format(number)} for number in (1, 2, 3)]
    plane = {"endpoint": endpoint, "highAvailability": {"type": "keepalived"}, "nodes": nodes}
    tree = render(spec(network=network, controlPlane=plane, nodePools=[{"name": "workers"}])).tree
    entries = yaml.safe_load(tree["user-data/control-plane-join.yaml"].content)["write_files"]
    (text,) = (str(entry["content"]) for entry in entries if entry["path"] == "/etc/haproxy/haproxy.cfg")
    return text


def complaints(haproxy: str, text: str, folder: Path) -> str:
    """What its check of the file says; nothing where it is valid."""
    file = folder / "haproxy.cfg"
    file.write_text(text)
    done = subprocess.run([haproxy, "-c", "-f", str(file)], check=False, capture_output=True, text=True)
    assert bool(done.returncode) == ("[ALERT]" in done.stderr)
    return done.stderr


@pytest.mark.parametrize("family", FAMILIES)
def test_it_takes_the_configuration_and_warns_of_nothing(family: str, haproxy: str, tmp_path: Path) -> None:
    assert complaints(haproxy, configuration(family), tmp_path) == ""


def test_it_would_say_what_is_wrong(haproxy: str, tmp_path: Path) -> None:
    broken = configuration("IPv4").replace("default_backend control-planes", "default_backend nobody")
    assert "nobody" in complaints(haproxy, broken, tmp_path)

"""Under a kernel of its own: a module or sysctl whose line is dropped turns its check red, and no other."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.mutations import wrong
from tests.support.guest import Guest
from tests.vm.conftest import Site

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

DRIVER = Path(__file__).with_name("dropping.py")
KINDS = ("modules", "sysctls")
# Where a module's line is dropped, so are those of the modules that would bring it along.
BRINGS = {"nf_conntrack": "ip_vs", "ip_vs": "ip_vs"}


@pytest.fixture(scope="module")
def declared(site: Site) -> dict[str, Any]:
    """The declarations of the kernel alone; the others are dropped in `make cluster-test`."""
    data = json.loads((site.image.packer_folder / "declared.json").read_text())
    return {kind: value if kind in KINDS else type(value)() for kind, value in data.items()}


@pytest.fixture(scope="module")
def red(worker: Guest, site: Site, declared: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Names of the red checks by kind and by what was dropped."""
    started = time.monotonic()
    request = {"declared": declared, "wrong": {key: wrong(value) for key, value in declared["sysctls"].items()}}
    packed = base64.b64encode(_packed(site.image.packer_folder / "verify", request)).decode()
    unpack = f"mkdir -p /run/dropping && echo {packed} | base64 -d | tar -xz -C /run/dropping"
    said = worker.run(f"{unpack} && python3 -B /run/dropping/{DRIVER.name}")
    print(f"modules and sysctls dropped in turn: {time.monotonic() - started:.0f} s")  # noqa: T201
    found: dict[str, dict[str, list[str]]] = json.loads(said)
    return found


def _packed(verify: Path, request: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(verify, "verify", filter=lambda member: None if "__pycache__" in member.name else member)
        archive.add(DRIVER, DRIVER.name)
        text = json.dumps(request).encode()
        member = tarfile.TarInfo("request.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def test_nothing_is_red_on_the_booted_image(red: dict[str, dict[str, list[str]]]) -> None:
    assert [red[kind][""] for kind in KINDS] == [[], []]


def test_a_dropped_module_is_red(red: dict[str, dict[str, list[str]]], declared: dict[str, Any]) -> None:
    expected = {
        name: sorted(other for other in declared["modules"] if other == name or other.startswith(BRINGS.get(name, "-")))
        for name in declared["modules"]
    }
    assert {name: names for name, names in red["modules"].items() if name} == expected


def test_a_dropped_sysctl_is_red(red: dict[str, dict[str, list[str]]], declared: dict[str, Any]) -> None:
    assert {key: names for key, names in red["sysctls"].items() if key} == {key: [key] for key in declared["sysctls"]}

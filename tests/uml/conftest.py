"""Control planes and workers of the same baked disk, each with a kernel of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import lab
from tests.cluster import site
from tests.cluster.bake import QUICK, in_nspawn
from tests.cluster.conftest import REPORT
from tests.cluster.kubectl import Kubectl
from tests.support import bake, guest, programs
from tests.uml import ground
from tests.uml.machine import Login, UmlMachine, machine
from tools import toolbox, uml_kernel
from tools.releases import Release

OPERATOR = IPv4Interface("10.77.0.1/24")
NODES = {"cp1": "10.77.0.11", "worker1": "10.77.0.21"}
TEMPLATE = Path(__file__).with_name("cluster.yaml")
USER = "lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A rendered cluster, and the disk of its image."""

    site: site.Site
    disk: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Machines that are off, by name, and the operator beside them."""

    machines: dict[str, UmlMachine]
    kubectl: Kubectl


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[REPORT]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> list[str]:
    """Lines that are shown at the end of the run, whether it passes or not."""
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private half of a pair, whose public half is in every machine's user-data."""
    programs.require(programs.FOR_UML)
    made = tmp_path_factory.mktemp("key") / "key"
    guest.new_key(made)
    return made


@pytest.fixture(scope="session")
def baked(
    key: Path, tmp_path_factory: pytest.TempPathFactory, report: list[str]
) -> Iterator[Callable[[Release], Baked]]:
    """Gives the rendered cluster of a release, and its disk."""
    with ExitStack() as end:

        @functools.cache
        def made(release: Release) -> Baked:
            folder = tmp_path_factory.mktemp("site")
            change = functools.partial(
                _with,
                release,
                {"user": USER, "sshAuthorizedKeys": [key.with_suffix(".pub").read_text(encoding="utf-8").strip()]},
            )
            image = bake.image_section(kubernetes=release)
            rendered = site.make(folder, image, template=TEMPLATE, change=change)
            rendered.render()
            if not QUICK:
                return Baked(site=rendered, disk=bake.baked_image(rendered.spec, folder, kubernetes=release).disk)
            quick = in_nspawn(next(rendered.rendered.glob("images/*/packer")), folder, release)
            end.callback(quick.unlink)
            return Baked(site=rendered, disk=quick)

        report.append("images baked by " + ("their scripts in nspawn machines, NOT by Packer" if QUICK else "Packer"))
        yield made


def _with(release: Release, admin: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "kubernetes": {"version": release.version}, "admin": admin}


@pytest.fixture(scope="session")
def room(
    baked: Callable[[Release], Baked], key: Path, report: list[str]
) -> Callable[[Release, Path], AbstractContextManager[Room]]:
    """Opens a room with two new machines of a release's disk, in a folder."""
    kernel = uml_kernel.kernel()
    report += [f"kernel {kernel.release}; changes to each machine's disk, made by the ground:", *ground.table()]

    @contextmanager
    def opened(release: Release, folder: Path) -> Iterator[Room]:
        made = baked(release)
        with lab.opened(folder, operator=OPERATOR) as inside, ExitStack() as end:
            machines = {}
            for number, (name, address) in enumerate(NODES.items()):
                login, seed = Login(user=USER, address=address, key=key), made.site.seed(name)
                new = machine(inside, name, made.disk, number=number, seed=seed, kernel=kernel, login=login)
                end.callback(new.close)
                machines[name] = new
            kubectl = toolbox.path(release.binary("kubectl"))
            operator = Kubectl(network=inside.network, binary=kubectl, kubeconfig=made.site.kubeconfig)
            yield Room(machines=machines, kubectl=operator)

    return opened

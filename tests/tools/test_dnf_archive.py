"""What was locked and bundled of rpm repositories, and dnf's word on it: repositories of stubs by createrepo_c."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from imagegen.cli.common import load_assets
from tests.conftest import missing
from tests.fetching.conftest import filled, signer
from tests.support import rooted, rpms, specs
from tests.support.origins import Signer, Vendors
from tests.support.server import Site, serve
from tests.support.vendors import write_rpm

__all__ = ["filled", "signer"]
CATALOG = load_assets().catalog
WANTED = (*CATALOG.families["dnf"].packages, *CATALOG.systems["rocky-9"].packages)
pytestmark = [pytest.mark.tools, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def made(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    for program in ("rpmbuild", "createrepo_c", "dnf"):
        if shutil.which(program) is None:
            missing(program)
    rooted.ready(rooted.HOST)
    return rpms.everything(tmp_path_factory.mktemp("rpms"), signer)


@pytest.fixture(scope="module")
def served(made: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repositories as folders."""
    folder = tmp_path_factory.mktemp("served")
    for path, content in made.items():
        target = folder / path.strip("/")
        if not path.endswith("/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def packages(
    filled: dict[str, bytes], made: dict[str, bytes], signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The packages of a bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    spec = folder / "demo.yaml"
    spec.write_text(yaml.safe_dump(specs.spec(image={"os": "rocky-9", "source": "bundle"})))
    with serve(Site(files={**filled, **made})) as site:
        vendors = Vendors(site, folder, signer)
        locked = specs.run("lock", spec, *vendors.mirrors)
        assert locked.exit_code == 0, locked.stderr
        made_of_it = specs.run("bundle", spec, "--out", folder / "bundle", *vendors.only_mirrors)
        assert made_of_it.exit_code == 0, made_of_it.stderr
    return folder / "bundle" / "packages"


class Machine:
    """A root that dnf installs into, from nothing but what it is told."""

    def __init__(self, folder: Path) -> None:
        self.root, self._none = folder / "root", folder / "none"
        self.root.mkdir()
        self._none.mkdir()
        self._folder = folder

    def dnf(self, *words: str | Path) -> None:
        command = [
            *("dnf", "--assumeyes", "--quiet", "--noplugins", f"--installroot={self.root}", "--releasever=9"),
            *("--setopt=module_platform_id=platform:el9", "--setopt=install_weak_deps=False", "--setopt=gpgcheck=0"),
            *(f"--setopt=reposdir={self._none}", f"--setopt=cachedir={self._folder}/cache", "--forcearch=x86_64"),
        ]
        done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def installed(self) -> dict[str, str]:
        command = ["rpm", f"--root={self.root}", "--query", "--all", "--queryformat=%{NAME} %{VERSION}-%{RELEASE}\\n"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return dict(line.split() for line in said.splitlines())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One with the base, older than what the repositories have by now."""
    made = Machine(tmp_path)
    older = {"systemd": "32.el9", "systemd-libs": "32.el9"}
    stubs = [replace(stub, revision=older.get(stub.name, stub.revision)) for stub in rpms.BASE]
    stubs = [
        replace(stub, needs=tuple(need.replace("46.el9", "32.el9") for need in stub.needs))
        if stub.name in older
        else stub
        for stub in stubs
    ]
    (tmp_path / "scratch").mkdir()
    made.dnf("install", *(write_rpm(stub, tmp_path / "base", tmp_path / "scratch") for stub in stubs))
    assert made.installed()["systemd"] == "252-32.el9"
    return made


def files(packages: Path) -> Sequence[Path]:
    return sorted(packages.glob("*.rpm"))


def test_dnf_installs_from_it_alone(packages: Path, machine: Machine) -> None:
    before = set(machine.installed())
    # As packer/scripts/family/dnf.sh does.
    machine.dnf("install", *files(packages))
    installed = machine.installed()
    assert set(WANTED) <= set(installed)
    assert set(installed) == before | {path.stem for path in files(packages)}
    # What has to be of the very same version was brought along.
    assert installed["systemd"] == installed["systemd-udev"] == "252-46.el9"


def test_without_one_of_them_it_does_not(packages: Path, machine: Machine) -> None:
    for name in ("odd", "libedit", "chrony-for-dnf", "systemd"):
        with pytest.raises(AssertionError, match=r"nothing provides|needed by|conflicting requests"):
            machine.dnf("install", *(path for path in files(packages) if path.stem != name))


def test_it_has_all_that_dnf_would_fetch(packages: Path, served: Path, machine: Machine) -> None:
    before = machine.installed()
    folders = {url.split("/")[-3]: served / url.partition("://")[2] for url in (rpms.BASEOS, rpms.APPSTREAM)}
    given = [word for name, folder in folders.items() for word in ("--repofrompath", f"{name},{folder}")]
    # dnf tells modules by modules.yaml, which a repository of stubs has not.
    machine.dnf(*given, "--exclude=jq-1.7*", "install", *WANTED)
    after = machine.installed()
    fetched = {name: version for name, version in after.items() if before.get(name) != version}
    assert set(WANTED) <= set(fetched)
    assert set(fetched) <= {path.stem for path in files(packages)}

"""Debian's archive, by way of this machine's own apt: where it is, and packages with all they depend on."""

import platform
import subprocess
from pathlib import Path


def sources(suite: str) -> list[str]:
    """Give the sources of a suite, from the mirrors that this machine uses; none: it uses none of Debian's."""
    own = _own_suite()
    if not own:
        return []
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    entries = sorted({tuple(line.split()) for line in targets.splitlines()})
    return [
        f"deb {uri} {release.replace(own, suite, 1)} {component}"
        for uri, release, component in entries
        if release == own or (release.startswith(f"{own}-") and "-" not in suite)
    ]


def download(packages: tuple[str, ...], *, suite: str, installed: Path, folder: Path) -> None:
    """Download packages into a folder, with what they need beyond the ones that the dpkg status file names."""
    apt = _apt(suite, installed, folder)
    subprocess.run([*apt, "update"], check=True)
    subprocess.run(
        [*apt, "install", "--download-only", "--no-install-recommends", "--assume-yes", *packages], check=True
    )


def package(name: str, *, suite: str, folder: Path) -> Path:
    """Give the newest version of one package, downloaded into a folder, without what it needs."""
    apt = _apt(suite, Path("/dev/null"), folder)
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", name], check=True, cwd=folder)
    return next(folder.glob("*.deb"))


def _apt(suite: str, installed: Path, folder: Path) -> list[str]:
    """An apt of its own, with its state in a folder."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    source_list = folder / "sources.list"
    source_list.write_text("".join(f"{line}\n" for line in sources(suite)))
    return [
        "apt-get",
        "--quiet=2",
        f"-oDir::State={folder}/state",
        f"-oDir::State::status={installed}",
        f"-oDir::Cache={folder}/cache",
        f"-oDir::Etc::SourceList={source_list}",
        "-oDir::Etc::SourceParts=/dev/null",
        "-oDir::Etc::PreferencesParts=/dev/null",
        "-oAPT::Sandbox::User=root",
        "-oDebug::NoLocking=true",
    ]


def _own_suite() -> str:
    release = platform.freedesktop_os_release()
    return release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else ""

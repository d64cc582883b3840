"""In what a baked disk differs from its base: what of it no declaration and no declared package accounts for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.cluster import trees

UNITS = "/etc/systemd/system"
_MERGED = re.compile(r"^/(?:bin|sbin|lib|lib32|lib64|libx32)(?=/|$)")


@dataclass(frozen=True)
class Disk:
    """The packages and settings of a root folder."""

    root: Path

    @cached_property
    def packages(self) -> dict[str, dict[str, str]]:
        """Fields of every installed package."""
        text = (self.root / "var/lib/dpkg/status").read_text(encoding="utf-8")
        found = (dict(_fields(stanza)) for stanza in text.split("\n\n") if stanza.strip())
        return {each["Package"]: each for each in found if each["Status"].endswith(" installed")}

    def files_of(self, package: str) -> frozenset[str]:
        """Everything that a package has on the disk, and dpkg's own record of it."""
        info = self.root / "var/lib/dpkg/info"
        ending = re.compile(re.escape(package) + r"(?::[a-z0-9]+)?\.[a-z0-9]+")
        records = [path for path in info.glob(f"{package}*") if ending.fullmatch(path.name)]
        (listing,) = (path for path in records if path.suffix == ".list")
        lines = listing.read_text(encoding="utf-8").splitlines()
        return frozenset({merged(line) for line in lines} | {f"/{path.relative_to(self.root)}" for path in records})

    def lines(self, folder: str) -> frozenset[str]:
        """Lines that say something, in the files of a kind of settings (`modules-load.d`, `sysctl.d`)."""
        files = [path for top in ("etc", "usr/lib") for path in (self.root / top / folder).glob("*.conf")]
        texts = (path.read_text(encoding="utf-8") for path in files if path.is_file())
        stripped = (line.strip() for text in texts for line in text.splitlines())
        return frozenset("".join(line.split()) for line in stripped if line and line[0] not in "#;")


@dataclass(frozen=True)
class Difference:
    """A base, what was baked from it, and what was declared."""

    base: Disk
    baked: Disk
    declared: dict[str, Any]

    @cached_property
    def packages_come(self) -> frozenset[str]:
        return frozenset(self.baked.packages.keys() - self.base.packages.keys())

    @cached_property
    def packages_gone(self) -> frozenset[str]:
        return frozenset(self.base.packages.keys() - self.baked.packages.keys())

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every path that is not the same on both, in content, kind, mode, owner, target or attributes."""
        return frozenset(f"/{path}" for path in trees.differences(self.base.root, self.baked.root))

    def undeclared_packages(self) -> frozenset[str]:
        """Packages that came, or changed, and that no declared package needs."""
        wanted, waiting = set[str](), list(self.declared["packages"])
        while waiting:
            name = waiting.pop()
            if name not in wanted and name in self.baked.packages:
                wanted.add(name)
                fields = self.baked.packages[name]
                waiting += needs(f"{fields.get('Depends', '')},{fields.get('Pre-Depends', '')}")
        both = self.base.packages.keys() & self.baked.packages.keys()
        changed = {name for name in both if self.base.packages[name]["Version"] != self.baked.packages[name]["Version"]}
        return (self.packages_come - wanted) | changed

    def undeclared_lines(self) -> frozenset[str]:
        """Modules and sysctls that the baked disk sets, or sets no more, without a declaration."""
        sysctls = {f"{key}={''.join(value.split())}" for key, value in self.declared["sysctls"].items()}
        modules = self.base.lines("modules-load.d") ^ self.baked.lines("modules-load.d")
        settings = self.base.lines("sysctl.d") ^ self.baked.lines("sysctl.d")
        return frozenset((modules ^ set(self.declared["modules"])) | (settings ^ sysctls))

    def untraced(self) -> frozenset[str]:
        """Paths that differ and are of no declared file or program, no package and no declared unit."""
        owned = set(self.declared["files"]) | set(self.declared["binaries"])
        owned |= {path for name in self.packages_come for path in self.baked.files_of(name)}
        owned |= {path for name in self.packages_gone for path in self.base.files_of(name)}
        folders = {str(parent) for path in owned for parent in Path(path).parents}
        rest = self.paths - owned
        return frozenset(
            path for path in rest if not self._is_new_folder(path, folders) and not self._is_unit(path, owned)
        )

    def _is_new_folder(self, path: str, folders: set[str]) -> bool:
        return path in folders and not (self.base.root / path[1:]).exists() and (self.baked.root / path[1:]).is_dir()

    def _is_unit(self, path: str, owned: set[str]) -> bool:
        """Whether a link enables or masks what is declared so, or enables what a package brought and enabled itself."""
        link = self.baked.root / path[1:]
        if not path.startswith(f"{UNITS}/") or not link.is_symlink():
            return False
        target = str(link.readlink())
        states: dict[str, str] = self.declared["units"]
        if target == "/dev/null":
            return states.get(link.name) == "masked"
        return states.get(link.name) == "enabled" or merged(target) in owned - set(self.declared["files"])


def merged(path: str) -> str:
    """A path as it is on a disk whose /bin, /sbin and /lib are links below /usr."""
    return _MERGED.sub(lambda found: f"/usr{found[0]}", path)


def read(base: Path, baked: Path, declared: Path) -> Difference:
    """Of two root folders and a declared.json."""
    return Difference(Disk(base), Disk(baked), json.loads(declared.read_text(encoding="utf-8")))


def _fields(stanza: str) -> Iterator[tuple[str, str]]:
    for line in stanza.splitlines():
        if not line.startswith(" ") and ":" in line:
            name, _, value = line.partition(":")
            yield name, value.strip()


def needs(relations: str) -> list[str]:
    """Names in a Depends field, alternatives too."""
    return [re.split(r"[ :(]", each.strip())[0] for each in re.split(r"[,|]", relations) if each.strip()]

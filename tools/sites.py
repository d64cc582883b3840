"""imagegen's own dependencies for the Python of a Debian root: the pinned wheels, unpacked."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tools import cache, roots

_PINS = Path(__file__).parents[1] / "requirements-dev.txt"
# pip takes these as they are: newest first, as far as the oldest root's libc goes.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_5", "manylinux1")


def site(suite: str) -> Path:
    """Give the folder of a suite's packages, made first where the cache has it not."""
    return cache.made(_shelf(suite), _key(suite), lambda folder: _make(suite, folder)) / "site"


def is_made(suite: str) -> bool:
    """Tell whether the cache has the packages of a suite."""
    return roots.is_made(suite) and cache.find(_shelf(suite), _key(suite)) is not None


def _shelf(suite: str) -> str:
    return f"sites/{suite}"


def _key(suite: str) -> str:
    return cache.key(_python(suite), _pins())


def _python(suite: str) -> str:
    return (roots.root(suite) / "usr/bin/python3").readlink().name.removeprefix("python")


def _pins() -> str:
    """The pins, with their hashes, of what imagegen needs to run."""
    blocks = re.split(r"^(?=[a-z0-9])", _PINS.read_text(), flags=re.MULTILINE)
    needed = _needed("imagegen")
    return "".join(block for block in blocks if block.partition("==")[0] in needed)


def _needed(name: str) -> set[str]:
    """The names of what a package needs, and of what that needs."""
    try:
        requirements = distribution(name).requires or []
    except PackageNotFoundError:
        # Pinned for another system.
        return set()
    plain = [requirement for requirement in requirements if "extra ==" not in requirement]
    names = {_normal(re.split(r"[^A-Za-z0-9._-]", requirement)[0]) for requirement in plain}
    return names.union(*map(_needed, names))


def _normal(name: str) -> str:
    """A distribution's name as the pins have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _make(suite: str, folder: Path) -> None:
    pins = folder / "requirements.txt"
    pins.write_text(_pins())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:"]
    command += ["--python-version", _python(suite), "--implementation", "cp"]
    command += [f"--platform={platform}_x86_64" for platform in _PLATFORMS]
    subprocess.run([*command, "--target", str(folder / "site"), "-r", str(pins)], check=True)

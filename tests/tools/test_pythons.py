"""Debian's own Pythons render the same bytes as the one that runs the tests, for every example."""

from __future__ import annotations

import gzip
import lzma
from base64 import b64decode
from pathlib import Path

import pytest

from tests.support import rooted
from tests.support.specs import EXAMPLES, run
from tools import roots

pytestmark = pytest.mark.tools
ROOT = Path(__file__).parents[2]
PATHS = [path.relative_to(ROOT / "examples") for path in EXAMPLES]
_RENDER = """\
import sys
from imagegen.cli import main
for example in sys.argv[1:]:
    folder = example.removesuffix(".yaml")
    sys.argv = ["imagegen", "render", f"/srv/{example}", "--secrets", f"/media/{example}", "--out", f"/opt/{folder}"]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle for each example, made once."""
    folder = tmp_path_factory.mktemp("secrets")
    for example in PATHS:
        (folder / example).parent.mkdir(exist_ok=True)
        assert run("secrets", "new", ROOT / "examples" / example, "--secrets", folder / example).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def expected(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("out")
    for example in PATHS:
        spec, folder = ROOT / "examples" / example, out / example.with_suffix("")
        assert run("render", spec, "--secrets", secrets / example, "--out", folder).exit_code == 0
    return contents(out)


def contents(out: Path) -> dict[str, bytes]:
    """Every file; zlibs differ in how they compress, so what is compressed is compared by what is in it."""
    return {path.relative_to(out).as_posix(): inflated(path) for path in sorted(out.rglob("*")) if path.is_file()}


def inflated(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    return (
        gzip.decompress(b64decode(path.read_bytes())) if path.suffixes[-2:] == [".gz", ".base64"] else path.read_bytes()
    )


@pytest.mark.parametrize("suite", roots.SUITES)
def test_same_bytes(suite: str, secrets: Path, expected: dict[str, bytes], tmp_path: Path) -> None:
    folders = {
        "/mnt": ROOT,
        "/srv": ROOT / "examples",
        "/media": secrets,
        "/opt": tmp_path,
        "/home": rooted.packages(suite),
    }
    said = rooted.run(
        suite,
        *("python3", "-c", _RENDER, *map(str, PATHS)),
        folders=folders,
        PYTHONPATH="/mnt:/home",
        PYTHONDONTWRITEBYTECODE="1",
    )
    found = contents(tmp_path)
    assert len(found) > 100, said
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []

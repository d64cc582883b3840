"""What is asked in place of an address: the scripts and the fetcher say the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from baked import fetch

SCRIPT = Path(__file__).parents[2] / "packer/scripts/common/mirrors.sh"
GIVEN = "https://a.example/=http://given/ https://a.example/deep/=http://deep/ https://a.example/deep/=http://second/"
OWN = "https://a.example/deep/er/=http://own/ https://b.example/=http://own-b/"
CASES = {
    "https://a.example/x": "http://given/x",
    "https://a.example/deep/x": "http://deep/x",
    "https://a.example/deep/er/x": "http://deep/er/x",
    "https://b.example/x": "http://own-b/x",
    "https://c.example/x": "https://c.example/x",
}


SOURCES = """\
deb http://any.debian.example/debian stable main
deb http://other.debian.example/debian-security stable-security main
deb http://a.b.debian.example/debian stable main
deb http://debian.example/debian stable main http://third.debian.example/
"""


def by_script(address: str, own: str = OWN, function: str = "mirrored") -> str:
    command = f'source "{SCRIPT}"; {function} "$1"'
    environment = {"work": "/", "IMAGEGEN_MIRRORS": GIVEN, "MIRRORS": own, "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command, "bash", address],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


@pytest.mark.parametrize(("address", "asked"), CASES.items())
def test_what_was_given_goes_before_the_image_s_own(address: str, asked: str) -> None:
    assert by_script(address) == asked
    assert fetch.Mirrors.parse(GIVEN, OWN).of(address) == asked


def test_a_star_is_one_label_of_a_host_s_name_in_a_file_of_sources(tmp_path: Path) -> None:
    file = tmp_path / "sources.list"
    file.write_text(SOURCES)
    by_script(str(file), own="http://*.debian.example/=https://mirror/", function="mirror_file")
    assert file.read_text() == SOURCES.replace("http://any.debian.example/", "https://mirror/").replace(
        "http://other.debian.example/", "https://mirror/"
    ).replace("http://third.debian.example/", "https://mirror/")

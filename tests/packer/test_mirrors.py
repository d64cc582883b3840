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


def by_script(address: str) -> str:
    command = f'source "{SCRIPT}"; mirrored "$1"'
    environment = {"work": "/", "IMAGEGEN_MIRRORS": GIVEN, "MIRRORS": OWN, "PATH": "/usr/bin:/bin"}
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

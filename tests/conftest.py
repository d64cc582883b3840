"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable

import pytest

IN_CI = os.environ.get("CI") == "true"

# A shell that starts a job in the background lets it ignore Ctrl-C, and so would every program that is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="record the goldens anew; the run fails all the same")


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Path of a real program; without it the test is skipped, and fails in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(name)
            raise AssertionError
        return path

    return find


def missing(name: str) -> None:
    """Skip, or fail in CI: a check that did not run is not a check that passed."""
    message = f"{name} is not on this machine"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)

"""A machine whose clock is years behind when it is switched on, and a time server that answers late."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cluster.faults import BY_NAME
from tests.diagnosis import told

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

FAULT = BY_NAME["clock-behind"]


@pytest.fixture
def clock(booted: dict[str, Any]) -> dict[str, Any]:
    """Consoles and figures of the second machine's wait."""
    found: dict[str, Any] = booted["clock"]
    return found


def test_it_bites_before_anything_of_kubeadm(clock: dict[str, Any]) -> None:
    waiting = clock["waiting"]
    assert re.search(rf"phase=clock status=waiting seconds=\S+ reason={FAULT.reason} ", waiting)
    assert "phase=settle" not in waiting
    assert "kubeadm" not in waiting.partition("imagegen: phase=")[2]


def test_diagnose_names_it(clock: dict[str, Any]) -> None:
    assert told.codes(clock["waiting"].encode())[0] == FAULT.finding


def test_it_goes_on_by_itself_when_the_time_server_answers(clock: dict[str, Any]) -> None:
    went_on = clock["wentOn"]
    # With a reason behind it, it would have gone on with the wrong clock.
    assert re.search(r"(?m)phase=clock status=ok seconds=[0-9.]+\s*$", went_on)
    assert clock["askedInVain"] > 0
    assert clock["seconds"] < FAULT.limit

"""First boot takes every secret out of cloud-init's copies of stock user-data, too."""

from __future__ import annotations

import pytest
from bootstrap.cloudcopies import STAGED, prune

from tests.support.specs import render
from tests.unit.test_stock import SERVED, stock

ROLES = ("control-plane-init", "control-plane-join", "worker-workers")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("image", [{}, {"stock": SERVED}], ids=["inline", "served"])
def test_nothing_staged_is_left(role: str, image: dict[str, object]) -> None:
    user_data = render(stock(image=image)).tree[f"user-data/{role}.yaml"].content.decode()
    assert "secrettoken" in user_data
    pruned = prune(user_data)
    # What still names the folder would be left as it is, and reported: wipe-incomplete.
    assert STAGED not in pruned
    assert "secrettoken" not in pruned
    assert "SECRET key" not in pruned
    assert "bootcmd" in pruned

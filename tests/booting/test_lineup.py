"""Which machines are started, and what is refused with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from imagegen.booting.lineup import CannotBootError, Lineup, left_out, line_up
from imagegen.cli.common import load_assets
from imagegen.plan import RoleKind
from imagegen.planner import plan_cluster
from tests.support.specs import checked, fake_bundle, spec

STOCK = {"install": "stock", "bundle": {"url": "http://192.168.0.1/bundle", "sha256": "0" * 64}}


def lined_up(chosen: tuple[str, ...] = (), **sections: Any) -> Lineup:
    document = spec(**{name: section for name, section in sections.items() if name != "gateway"})
    if "gateway" in sections:
        del document["network"]["gateway"]
    cluster = checked(document)
    plan = plan_cluster(cluster, load_assets().catalog, fake_bundle("workers", "others"))
    return line_up(cluster, plan, chosen)


def test_everyone_with_an_address_is_started() -> None:
    lineup = lined_up()
    assert [(member.name, str(member.address), member.kind) for member in lineup.members] == [
        ("cp1", "192.168.0.242/24", RoleKind.CONTROL_PLANE_INIT),
        ("worker1", "192.168.0.243/24", RoleKind.WORKER),
    ]
    assert (lineup.host, lineup.port) == ("192.168.0.242", 6443)
    assert (str(lineup.operator), str(lineup.spare)) == ("192.168.0.1/24", "192.168.0.254")


def test_without_a_gateway_we_stand_where_nobody_does() -> None:
    nodes = [{"name": f"worker{number}", "address": f"192.168.0.{number}"} for number in (252, 254)]
    lineup = lined_up(nodePools=[{"name": "workers", "nodes": nodes}], gateway=None)
    assert (str(lineup.operator), str(lineup.spare)) == ("192.168.0.253/24", "192.168.0.251")


def test_some_are_chosen_by_name() -> None:
    assert [member.name for member in lined_up(("cp1",)).members] == ["cp1"]


@pytest.mark.parametrize(
    ("chosen", "sections", "words"),
    [
        pytest.param((), {"image": STOCK}, r"machines of demo install themselves \(`install: stock`\)", id="stock"),
        pytest.param(("cp9",), {}, r"no node cp9; known: cp1, worker1", id="no such node"),
        pytest.param((), {"controlPlane": {"endpoint": "192.168.0.9:6443"}}, r"endpoint 192\.168\.0\.9", id="balanced"),
        pytest.param((), {"controlPlane": {"endpoint": "api.example:6443"}}, r"endpoint api\.example", id="a name"),
        pytest.param(
            (), {"controlPlane": {"nodes": []}, "nodePools": [{"name": "workers"}]}, "no machine a name", id="0"
        ),
    ],
)
def test_what_cannot_be_is_refused(chosen: tuple[str, ...], sections: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotBootError, match=words):
        lined_up(chosen, **sections)


def test_pools_without_addresses_are_told() -> None:
    pools: dict[str, Any] = {"nodePools": [{"name": "workers", "replicas": 3}]}
    (sentence,) = left_out(checked(spec(**pools)), lined_up((), **pools))
    assert "pool workers is not started" in sentence


def test_a_worker_alone_is_told_to_wait_for_ever() -> None:
    (sentence,) = left_out(checked(spec()), lined_up(("worker1",)))
    assert "endpoint 192.168.0.242 is not started" in sentence

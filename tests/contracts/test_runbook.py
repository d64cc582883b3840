"""The operator's pages: of every kind of cluster, as a shell and a reader take them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imagegen import assets
from imagegen.cli.common import load_assets
from imagegen.planner import plan_cluster
from imagegen.runbook import FOLDER, PAGES, Desk, page_paths, render_runbook
from tests.cluster.pages import WITH_A_NEW_IMAGE, WITH_ONE_CONTROL_PLANE, WITH_SEVERAL
from tests.support.runbook import SETTINGS, Block, blocks
from tests.support.specs import FOLDER as EXAMPLES
from tests.support.specs import checked, fake_bundle, rendered_example, spec

GOLDENS = Path(__file__).parents[1] / "golden" / FOLDER
THREE = [{"name": f"cp{number}", "address": f"192.168.0.{number}"} for number in (1, 2, 3)]
HA: dict[str, Any] = {"controlPlane": {"endpoint": "api.example.com:6443", "nodes": THREE}}
ALOUD = {"operator": "**On your computer:**", "node": "**On the node, as root:**"}
DESK = Desk(spec="demo.yaml", out="out", secrets=None, opened=True)
CASES = {
    "small": spec(),
    "three": spec(**HA, admin={"sshAuthorizedKeys": ["ssh-ed25519 AAAA someone@example.com"]}),
    "nameless": spec(controlPlane={"nodes": [], "replicas": 3}, nodePools=[{"name": "gpu", "replicas": 2}]),
    "shared": spec(controlPlane={"nodes": [], "replicas": 3, "userData": "shared", "firstNode": "192.168.0.10"}),
    "no-pods": spec(network={"cni": "none"}),
}


def pages(data: dict[str, Any], desk: Desk = DESK) -> dict[str, str]:
    cluster, loaded = checked(data), load_assets()
    plan = plan_cluster(cluster, loaded.catalog, fake_bundle(*(pool.name for pool in cluster.node_pools)))
    return {path: file.content.decode() for path, file in render_runbook(plan, loaded.templates, desk)}


def existing() -> dict[str, str]:
    """Those of pools whose control plane was made elsewhere."""
    loaded, plan = load_assets(), rendered_example(EXAMPLES / "existing-cluster.yaml").plan
    return {path: file.content.decode() for path, file in render_runbook(plan, loaded.templates, DESK)}


def every() -> list[Any]:
    return [
        pytest.param(path, text, id=f"{case}-{path}")
        for case, made in {**{case: pages(data) for case, data in CASES.items()}, "existing": existing()}.items()
        for path, text in made.items()
    ]


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-euc", script], check=False, capture_output=True, text=True)


@pytest.mark.parametrize(("path", "text"), every())
def test_each_block_is_a_program_and_says_where_it_runs(path: str, text: str) -> None:
    for block in blocks(text).values():
        looked_at = subprocess.run(["bash", "-n"], input=block.text, check=False, capture_output=True, text=True)
        assert (looked_at.returncode, looked_at.stderr) == (0, ""), (path, block.name)
        assert last_place(block) == block.where, block.name


def last_place(block: Block) -> str:
    """Where the page says that a block runs: the last place that it names above it."""
    before = " ".join(block.before.split())
    return max(ALOUD, key=lambda where: before.rfind(ALOUD[where]))


@pytest.mark.parametrize(("path", "text"), every())
def test_settings_come_first(path: str, text: str) -> None:
    assert path == "README.md" or next(iter(blocks(text))) == SETTINGS


@pytest.mark.parametrize(("path", "text"), every())
def test_a_page_reads_well(path: str, text: str) -> None:
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert not re.search(r"\n\n\n|[ \t]\n|\bNone\b|Undefined", text), path
    assert max(map(len, re.sub(r"(?m)^ *\|.*$", "", text).splitlines())) <= 140
    for word in ("SECRET", "secrettoken", "PRIVATE KEY"):
        assert word not in text


@pytest.mark.parametrize("made", [pages(CASES["small"]), existing()], ids=["own", "existing"])
def test_links_lead_to_pages(made: dict[str, str]) -> None:
    for path, text in made.items():
        targets = set(re.findall(r"\]\(([\w./-]+)\)", text)) - {"../README.md"}
        assert targets <= made.keys(), path
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", made["README.md"])) == made.keys() - {"README.md"}


def test_a_control_plane_from_elsewhere_is_looked_after_there() -> None:
    assert existing().keys() == set(page_paths(existing=True)) < {f"{page}.md" for page in PAGES}
    assert "kubeadm-config" not in existing()["upgrade.md"]


def test_an_upgrade_is_told_what_kubeadm_was_told() -> None:
    patched = {
        "patches": {"etcd0+merge.yaml": "metadata: {labels: {a: b}}\n"},
        "ignorePreflightErrors": ["Mem", "NumCPU"],
    }
    text = blocks(pages(spec(kubeadm=patched))["upgrade.md"])["add-ons"].text
    assert "--yes --patches /etc/kubernetes/patches --ignore-preflight-errors Mem,NumCPU " in text
    assert 'apply --yes "' in blocks(pages(CASES["small"])["upgrade.md"])["add-ons"].text


def test_etcd_is_restored_with_all_of_its_members() -> None:
    named = "MEMBERS=" + ",".join(f"cp{number}=https://192.168.0.{number}:2380" for number in (1, 2, 3)) + "\n"
    assert named in blocks(pages(CASES["three"])["restore.md"])["restore"].text
    assert "MEMBERS=   " in blocks(pages(CASES["nameless"])["restore.md"])["restore"].text


def test_a_bundle_is_named_where_images_are_baked_from_one() -> None:
    bundled = spec(image={"os": "debian-12", "bundle": {"sha256": "0" * 64}})
    named = blocks(pages(bundled)["upgrade.md"])
    assert named["bake"].text.endswith('--out out --bundle "$BUNDLE"\n')
    assert "BUNDLE=\n" in named[SETTINGS].text
    assert "BUNDLE" not in pages(CASES["small"])["upgrade.md"]
    served = spec(image={"os": "debian-12", "bundle": {"url": "https://example.com/b.tar", "sha256": "0" * 64}})
    assert "BUNDLE" not in pages(served)["upgrade.md"]


def test_nothing_is_baked_for_machines_that_install_themselves() -> None:
    made = pages(spec(image={"os": "debian-12", "install": "stock"}))
    assert blocks(made["upgrade.md"]).keys() == {SETTINGS, "render", "version", "add-ons"}
    assert "the public one of debian-12" in made["README.md"]


def test_names_of_the_cluster() -> None:
    made = pages(CASES["three"])
    assert "api.example.com:6443" in made["README.md"]
    assert "| `workers` | `000001` |" in made["tokens.md"]
    assert "NODE=worker1\n" in made["remove-a-node.md"]
    assert "NODE=cp3\nPLANE=cp1\n" in made["replace-a-control-plane.md"]
    assert "ssh " in made["README.md"]
    assert "kube-flannel" in made["check.md"]
    assert "kube-flannel" not in pages(CASES["no-pods"])["check.md"]
    assert "`user-data/control-plane.yaml`" in pages(CASES["shared"])["replace-a-control-plane.md"]


# Every word of imagegen's commands goes to standard error, a line each; kubectl says nothing.
HEARD = """
imagegen() { printf '%s\\n' "$@" >&2; echo '{"token": {"retire": "bootstrap-token-000000"}}'; }
kubectl() { :; }
"""


def test_what_is_named_reaches_the_shell_as_it_is() -> None:
    desk = Desk(spec="my $(specs)/it's.yaml", out="o u t", secrets='"s" e.age', opened=True)
    tried = 0
    for path, text in pages(spec(), desk).items():
        named = blocks(text)
        settings = named[SETTINGS].text if SETTINGS in named else ""
        for block in named.values():
            if "imagegen " in block.text:
                words = shell(HEARD + settings + block.text).stderr.splitlines()
                assert desk.spec in words, path
                assert "bake" in words or desk.secrets in words, path
                assert {desk.out, "demo.kubeconfig"} & set(words), path
                tried += 1
    assert tried == 8


def test_every_block_is_run_by_a_test() -> None:
    made = pages(CASES["three"])
    found = [(path.removesuffix(".md"), block) for path, text in made.items() for block in blocks(text).values()]
    run = WITH_ONE_CONTROL_PLANE | WITH_SEVERAL | WITH_A_NEW_IMAGE
    assert {(page, block.name) for page, block in found} == run


def test_first_boot_s_commands_for_etcd_are_the_pages() -> None:
    flags = re.findall(r"--(?:cacert|cert|key) \S+", assets.next_steps()["etcd-member-stays"])
    assert len(set(flags)) == 3
    page = pages(CASES["three"])["replace-a-control-plane.md"]
    for flag in flags:
        assert flag in page


@pytest.mark.parametrize("name", ["remove-a-node.md", "tokens.md"])
def test_goldens(name: str, request: pytest.FixtureRequest) -> None:
    made, golden = pages(spec())[name], GOLDENS / name
    if request.config.getoption("--update-golden"):
        golden.write_text(made)
        pytest.fail("recorded; run again without --update-golden")
    assert golden.read_text() == made

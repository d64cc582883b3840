"""Many specs in one run."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen import workers
from imagegen.fleet import choose, look
from tests.support.specs import run, spec


def write(path: str, data: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(data if isinstance(data, str) else yaml.safe_dump(data))


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, with its mode."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode) for path in paths}


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two clusters with a common base, one by itself, and files that are no specs."""
    monkeypatch.chdir(tmp_path)
    base = spec()
    del base["metadata"], base["image"]
    image = {"apiVersion": "imagegen/v1alpha1", "kind": "Image", "metadata": {"name": "node"}, "os": "debian-12"}
    write("fleet/shared/images.yaml", image)
    write("fleet/shared/base.yaml", {**base, "imageRef": "node", "extends": ["images.yaml"]})
    for name in ("east", "west"):
        write(f"fleet/{name}.yaml", {"extends": ["shared/base.yaml"], "metadata": {"name": name}})
    write("fleet/deeper/alone.yaml", spec(metadata={"name": "alone"}))
    write("fleet/namespace.yaml", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    for path in ("east", "west", "deeper/alone"):
        assert run("secrets", "new", f"fleet/{path}.yaml").exit_code == 0
    return Path("fleet")


def test_a_folder_is_rendered_as_its_specs_are_one_by_one(fleet: Path) -> None:
    result = run("render", fleet)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    count = len(tree(Path("out")))
    expected = f"3 of 3 clusters are in out/ ({count} files); of 3 other files, none is a spec by itself\n"
    assert result.stdout == expected
    for path in ("east", "west", "deeper/alone"):
        assert run("render", f"fleet/{path}.yaml", "--out", "single").exit_code == 0
    assert tree(Path("out")) == tree(Path("single"))


def test_what_imagegen_wrote_is_no_spec(fleet: Path) -> None:
    assert run("render", fleet, "--out", "fleet/out").exit_code == 0
    result = run("render", fleet, "--out", "fleet/out")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("3 of 3 clusters")


def test_one_that_fails_stops_no_other(fleet: Path) -> None:
    write("fleet/broken.yaml", "kind: [")
    write("fleet/wrong.yaml", spec(metadata={"name": "wrong"}, provider={"type": "cloud"}))
    write("fleet/new.yaml", spec(metadata={"name": "new"}))
    write("fleet/latin.yaml", "")
    Path("fleet/latin.yaml").write_bytes(b"kind: \xff")
    Path("fleet/west.secrets.yaml").chmod(0o644)
    write("out/east/mine.txt", "no folder of imagegen's")
    result = run("render", fleet)
    assert result.exit_code == 1
    assert result.stdout.startswith("1 of 7 clusters are in out/")
    failed = "broken.yaml, fleet/east.yaml, fleet/latin.yaml, fleet/new.yaml, fleet/west.yaml, fleet/wrong.yaml\n"
    assert result.stdout.endswith(f"; 6 failed: fleet/{failed}")
    for said in (
        "fleet/broken.yaml:1:8: error[IG001]",
        "fleet/wrong.yaml:",
        "imagegen secrets new fleet/new.yaml",
        "fleet/latin.yaml:",
        "chmod 600 fleet/west.secrets.yaml",
        "out/east: not a folder that imagegen made",
    ):
        assert said in result.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == ["alone", "east"]


def test_two_specs_of_one_cluster_are_both_refused(fleet: Path) -> None:
    write("fleet/twin.yaml", {"extends": ["shared/base.yaml"], "metadata": {"name": "east"}})
    result = run("render", fleet)
    assert result.exit_code == 1
    assert "fleet/east.yaml:4:9: error[IG501]: the cluster `east` has another spec: fleet/twin.yaml" in result.stderr
    assert "fleet/twin.yaml:4:9: error[IG501]: the cluster `east` has another spec: fleet/east.yaml" in result.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == ["alone", "west"]


def test_a_folder_is_validated(fleet: Path) -> None:
    assert run("validate", fleet).stdout.startswith("3 of 3 clusters are fine")
    write("fleet/wrong.yaml", spec(provider={"type": "cloud"}))
    write("fleet/empty.yaml", "")
    result = run("validate", fleet, "--format", "json")
    assert result.exit_code == 1
    assert [finding["code"] for finding in json.loads(result.stdout)] == ["IG001", "IG104"]


def test_a_folder_without_specs_is_a_mistake(tmp_path: Path) -> None:
    result = run("render", tmp_path)
    assert result.exit_code == 1
    assert "no spec below it" in result.stderr


def test_one_bundle_for_a_whole_folder_is_refused(fleet: Path) -> None:
    assert run("render", fleet, "--secrets", "fleet/east.secrets.yaml").exit_code == 2


def test_the_name_may_come_from_a_base() -> None:
    texts = {
        "fleet/a.yaml": "extends: [../name.yaml]\n",
        "fleet/b.yaml": "extends: [../name.yaml, nowhere.yaml]\nkind: Cluster\n",
    }
    looks = {file: look(text, file) for file, text in texts.items()}
    base = look("kind: Cluster\nmetadata: {name: demo}\n", "name.yaml")
    choice = choose(looks, {"name.yaml": base})
    assert choice.specs == ()
    assert choice.clashing == ("fleet/a.yaml", "fleet/b.yaml")


def _double(number: int) -> int:
    return 2 * number


def _run_for_ever(started: Any) -> None:
    with workers.Workers() as pool:
        for result in pool.spread(_pid_later, range(1000)):
            started.put(result)


def _pid_later(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def test_results_come_in_order() -> None:
    with workers.Workers() as pool:
        assert list(pool.spread(_double, range(1000))) == [2 * number for number in range(1000)]


def test_workers_end_with_their_parent() -> None:
    context = multiprocessing.get_context("fork")
    started = context.SimpleQueue()
    parent = context.Process(target=_run_for_ever, args=(started,))
    parent.start()
    assert parent.pid is not None
    worker = started.get()
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    for _ in range(100):
        if not Path(f"/proc/{worker}").exists():
            return
        time.sleep(0.05)
    pytest.fail("a worker outlived its parent")

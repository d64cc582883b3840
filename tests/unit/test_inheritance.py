"""`extends`: merged data, and places in the right file."""

from __future__ import annotations

from imagegen.inheritance import load

FILES = {
    "fleet/base.yaml": "a: {x: 1, y: 2}\nlist: [1, 2]\n",
    "fleet/more.yaml": "a: {y: 3}\nb: 4\n",
    "fleet/cluster.yaml": "extends: [base.yaml, more.yaml]\na:\n  z: 5\nlist: [3]\n",
}


def test_mappings_are_merged_and_lists_replaced() -> None:
    document, loading = load(FILES["fleet/cluster.yaml"], "fleet/cluster.yaml", FILES.__getitem__)
    assert not loading.findings
    assert document is not None
    assert document.cluster is not None
    assert document.cluster.data == {
        "extends": ["base.yaml", "more.yaml"],
        "a": {"x": 1, "y": 3, "z": 5},
        "b": 4,
        "list": [3],
    }
    assert [file for file, _ in loading.sources] == ["fleet/cluster.yaml", "fleet/base.yaml", "fleet/more.yaml"]


def test_every_value_is_found_where_it_stands() -> None:
    document, _ = load(FILES["fleet/cluster.yaml"], "fleet/cluster.yaml", FILES.__getitem__)
    assert document is not None
    places = {path: document.locate(path) for path in (("a", "x"), ("a", "y"), ("a", "z"), ("list", 0), ("b",))}
    assert {path: place and (place.file, place.line) for path, place in places.items()} == {
        ("a", "x"): ("fleet/base.yaml", 1),
        ("a", "y"): ("fleet/more.yaml", 1),
        ("a", "z"): ("fleet/cluster.yaml", 3),
        ("list", 0): ("fleet/cluster.yaml", 4),
        ("b",): ("fleet/more.yaml", 2),
    }


def test_a_file_without_a_cluster_is_no_spec() -> None:
    _, loading = load("kind: Image\nmetadata: {name: gpu}\n", "images.yaml", FILES.__getitem__)
    assert [finding.code for finding in loading.findings] == ["IG006"]

"""What a host gives is read, or tried."""

from pathlib import Path

from imagegen.lab import host


def test_swap_is_seen(tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text("Filename Type Size Used Priority\n", encoding="ascii")
    assert not host.swaps(tmp_path)
    swaps.write_text("Filename Type Size Used Priority\n/dev/vdb partition 1 0 -2\n", encoding="ascii")
    assert host.swaps(tmp_path)


def test_modes_of_kube_proxy_are_those_with_code_in_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "kallsyms").write_text("0 t nf_tables_newrule\t[nf_tables]\n0 t other\n", encoding="ascii")
    assert host.proxy_modes(tmp_path) == {"nftables"}


def test_a_score_that_could_be_lowered_is_put_back(tmp_path: Path) -> None:
    score = tmp_path / "self/oom_score_adj"
    score.parent.mkdir()
    score.write_text("100\n", encoding="ascii")
    assert host.lowers_oom_scores(tmp_path)
    assert score.read_text(encoding="ascii") == "100\n"

"""Each path that the seal removes is removed by the test of it, too."""

from fnmatch import fnmatchcase

from tests.cluster import seal

SCRIPT = seal.SCRIPT.read_text(encoding="utf-8")


def _covers(pattern: str, path: str) -> bool:
    starts = [pattern] if "{root,home/*}" not in pattern else [
        pattern.replace("{root,home/*}", home) for home in ("root", "home/*")
    ]  # fmt: skip
    return any(fnmatchcase("/".join(path.split("/")[: start.count("/") + 1]), start) for start in starts)


def test_each_pattern_is_the_only_one_of_a_leftover() -> None:
    paths = seal.table(chroot=True)["gone"]
    patterns = seal.removed(SCRIPT)
    assert len(patterns) > 50
    alone = {covering[0] for path in paths if len(covering := [each for each in patterns if _covers(each, path)]) == 1}
    assert set(patterns) - alone == set()


def test_the_functions_are_all_called() -> None:
    calls = SCRIPT[SCRIPT.rindex("}\n") :].split()
    names = [line.removesuffix("() {") for line in SCRIPT.splitlines() if line.endswith("() {")]
    assert [name for name in names if name not in calls] == ["has", "edit"]


def test_statements_are_seen_whole() -> None:
    lines = list(seal.statements(SCRIPT))
    assert "  ! has apt-get || apt-get clean\n" in lines
    assert sum("rm -rf" in line for line in lines) == 5
    assert sum(line.count("\n") for line in lines if "rm -rf" in line) == len(seal.removed(SCRIPT)) + 5

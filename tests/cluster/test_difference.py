"""Whatever differs between the base and the sealed disk was declared, or is listed with its reason."""

from pathlib import Path

import pytest

from tests.cluster import difference, explained
from tests.cluster.bake import BUILDER, Baked

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

LISTED = Path(__file__).parent / "byproducts.toml"


@pytest.fixture(scope="module")
def found(baked: Baked, untouched: Path, pristine: Path) -> difference.Difference:
    (packer,) = baked.site.rendered.glob("images/*/packer")
    return difference.read(untouched, pristine, packer / "declared.json")


def test_packages_are_declared_or_needed_by_those(found: difference.Difference) -> None:
    assert found.undeclared_packages() == set()
    listed = explained.load(LISTED, "package-gone", BUILDER)
    assert explained.judge(found.packages_gone, listed) == explained.Judgement(unexplained=(), stale=())


def test_modules_and_sysctls_are_the_declared_ones(found: difference.Difference) -> None:
    assert found.undeclared_lines() == set()


def test_every_other_path_is_a_listed_by_product(found: difference.Difference, report: list[str]) -> None:
    untraced = found.untraced()
    report.append(f"the sealed disk differs from its base in {len(found.paths)} paths; {len(untraced)} by-products")
    listed = explained.load(LISTED, "file", BUILDER)
    assert explained.judge(untraced, listed) == explained.Judgement(unexplained=(), stale=())

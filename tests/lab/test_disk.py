"""The root file system is found in a partition table."""

import json

import pytest

from imagegen.lab.disk import Extent, largest_partition
from imagegen.lab.process import LabError


def table(*partitions: tuple[int, int], sector: int = 512) -> str:
    nodes = [{"start": start, "size": size} for start, size in partitions]
    return json.dumps({"partitiontable": {"sectorsize": sector, "partitions": nodes}})


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        pytest.param(table((2048, 100)), Extent(offset=2048 * 512, size=100 * 512), id="one"),
        pytest.param(table((2048, 10), (4096, 900)), Extent(offset=4096 * 512, size=900 * 512), id="largest"),
        pytest.param(table((8, 9), sector=4096), Extent(offset=8 * 4096, size=9 * 4096), id="large sectors"),
    ],
)
def test_largest_partition_is_the_root(text: str, extent: Extent) -> None:
    assert largest_partition(text) == extent


def test_an_empty_partition_table_is_refused() -> None:
    with pytest.raises(LabError, match="without a partition"):
        largest_partition(table())

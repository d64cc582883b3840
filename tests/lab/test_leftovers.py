"""Leftovers are known by their name, and by their owner being dead."""

from imagegen.lab.leftovers import mounts, new_name

LINE = "{number} 27 7:0 / {point} rw,relatime - ext4 /dev/loop0 rw\n"


def test_mounts_of_labs_come_in_the_order_of_unmounting() -> None:
    lab = f"/disks/{new_name()}"
    points = ["/", f"{lab}/roots/cp1", "/srv/other", f"{lab}/roots/cp1/boot"]
    text = "".join(LINE.format(number=40 + index, point=point) for index, point in enumerate(points))
    assert mounts(text) == (f"{lab}/roots/cp1/boot", f"{lab}/roots/cp1")

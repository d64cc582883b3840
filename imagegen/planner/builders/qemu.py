"""Packer's qemu builder."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.spec import Cluster, Image, ImageSource, source_of


def plan_qemu(_: Cluster, image: Image, __: Catalog) -> BuilderPlan:
    """A disk, for hypervisors and for import into a cloud."""
    builder = image.qemu
    source, checksum = builder.source or "", builder.checksum or ""
    # A pinned base is its checksum, wherever it lies; an unpinned one is its address.
    pinned = checksum.startswith(("sha256:", "sha512:"))
    return BuilderPlan(
        key="qemu",
        type="qemu",
        base=checksum if pinned else source,
        disk_gib=builder.disk_gib,
        variables={
            # A bundle is all that the machine needs.
            "qemu_outbound": source_of(image) is not ImageSource.BUNDLE,
            "qemu_base_url": source,
            "qemu_base_checksum": checksum,
            "qemu_cpus": builder.cpus,
            "qemu_cpu_model": builder.cpu_model or "",
            "qemu_memory_mib": builder.memory_mib,
            "qemu_disk_gib": builder.disk_gib,
        },
    )

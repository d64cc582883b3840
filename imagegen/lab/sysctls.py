"""Settings that the host and its containers share: a machine may change them, the lab puts them back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Written by kubelets and by the images' own sysctl.d; all others belong to a namespace.
SHARED = (
    "fs/inotify/max_user_instances",
    "fs/inotify/max_user_watches",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/max_map_count",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "vm/swappiness",
)
ROOT = Path("/proc/sys")


@contextmanager
def kept(root: Path = ROOT) -> Iterator[None]:
    """Read the shared settings, and write back what has changed when the block ends."""
    before = {root / key: (root / key).read_text(encoding="ascii") for key in SHARED}
    try:
        yield
    finally:
        for path, value in before.items():
            if path.read_text(encoding="ascii") != value:
                path.write_text(value, encoding="ascii")

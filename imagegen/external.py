"""Other programs that imagegen asks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SECONDS = 10


def is_tracked_by_git(path: Path) -> bool:
    """Whether git has this file in its index; without git, or outside a repository, it has not."""
    return path.name in tracked_by_git(path.parent)


def tracked_by_git(folder: Path) -> frozenset[str]:
    """The names of the files right in a folder that git has in its index."""
    command = ["git", "-C", str(folder), "ls-files", "-z", "--", ":(glob)*"]
    try:
        result = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(os.fsdecode(name) for name in result.stdout.split(b"\0") if name)

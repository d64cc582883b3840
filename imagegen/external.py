"""Other programs that imagegen asks."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 10


def is_tracked_by_git(path: Path) -> bool:
    """Whether git has this file in its index; without git, or outside a repository, it has not."""
    command = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", path.name]
    try:
        result = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0

"""The program is put on the path as it is on a node."""

from __future__ import annotations

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[2] / "packer/files/usr/local/lib/imagegen/approver"))

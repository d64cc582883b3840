"""The programs by which a machine installs itself are put on the path as they are there."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.dont_write_bytecode = True
for folder in ("packer/files/usr/local/lib/imagegen/firstboot", "stock/install", "stock"):
    sys.path.insert(0, str(ROOT / folder))

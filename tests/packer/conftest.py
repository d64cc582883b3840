"""The checks run on the machine being baked, as a folder of their own; here they are imported."""

from __future__ import annotations

import sys
from pathlib import Path

VERIFY = Path(__file__).parents[2] / "packer" / "verify"
sys.path.insert(0, str(VERIFY))

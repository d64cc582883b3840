"""First boot's machines, whose consoles are read here, and the program that installs them."""

from __future__ import annotations

from tests.firstboot.conftest import authority, cluster, machine, running, stranger
from tests.stock.conftest import ROOT

__all__ = ["ROOT", "authority", "cluster", "machine", "running", "stranger"]

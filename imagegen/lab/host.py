"""What this host gives to machines that share its kernel."""

import os
from pathlib import Path

from imagegen.lab.cgroups import Hierarchies

PROC = Path("/proc")
# A function of each that is there as soon as the code is, built in or loaded.
_SYMBOLS = {"ipvs": b" ip_vs_conn_new", "nftables": b" nf_tables_newrule"}


def is_root() -> bool:
    """Whether this program may do everything here."""
    return os.geteuid() == 0


def is_unified() -> bool:
    """Whether its control groups are of version 2 alone."""
    return Hierarchies.of_host().unified


def lowers_oom_scores(proc: Path = PROC) -> bool:
    """Whether a process may give itself a lower score than it has; tried, and taken back."""
    score = proc / "self/oom_score_adj"
    before = score.read_text(encoding="ascii")
    try:
        score.write_text("-1000", encoding="ascii")
    except OSError:
        return False
    score.write_text(before, encoding="ascii")
    return True


def swaps(proc: Path = PROC) -> bool:
    """Whether it uses swap."""
    return len((proc / "swaps").read_text(encoding="ascii").splitlines()) > 1


def proxy_modes(proc: Path = PROC) -> frozenset[str]:
    """The modes of kube-proxy, beside iptables, that the kernel has what they need for."""
    symbols = (proc / "kallsyms").read_bytes()
    return frozenset(mode for mode, symbol in _SYMBOLS.items() if symbol in symbols)

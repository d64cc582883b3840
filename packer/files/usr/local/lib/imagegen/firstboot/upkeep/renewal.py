"""Renews what kubeadm has signed for a year, and has the control plane use it."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path

from bootstrap import files
from bootstrap.clock import Clock, timestamp
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.report import Report
from bootstrap.tools import Tools

from upkeep import certificates
from upkeep.certificates import Certificate
from upkeep.pods import Pods
from upkeep.telling import FAILED, WAITING, Telling, Trouble
from upkeep.turns import Turns

DAY = 86400.0
LIMIT = 300.0
API_SERVER = "kube-apiserver"
# kubeadm asks for a restart of etcd, too, which reads its certificates for every connection (etcd's page on transport
# security). kube-vip is the admin's: what it has read of admin.conf ends with the year.
CLIENTS = ("kube-controller-manager", "kube-scheduler", "kube-vip")
# A third of the time that is left is for those who come between; after it, nobody is waited for.
URGENT = 1 / 3
# Done as the user, as first boot has written it; what the user has put there instead stays.
ADMIN = """
umask 077
set -e
[ "$(sha256sum < ~/.kube/config)" = "{digest}  -" ]
cat > ~/.kube/config.new
mv ~/.kube/config.new ~/.kube/config
"""


def run(paths: Paths, clock: Clock, days: float) -> int:
    """Looks, and renews where less than `days` are left; the exit code is for systemd."""
    telling = Telling(paths, clock, "renewal")
    try:
        return _Renewal(paths, clock, telling, days).run()
    except Trouble as trouble:
        telling.trouble(trouble)
        return int(trouble.status == FAILED)
    except Exception as error:
        telling.trouble(Trouble(FAILED, "internal-error", f"{type(error).__name__}: {error}"))
        raise


class _Renewal:
    """One look at one control plane."""

    def __init__(self, paths: Paths, clock: Clock, telling: Telling, days: float) -> None:
        self._paths, self._clock, self._telling, self._days = paths, clock, telling, days
        mask = Masker()
        self._tools = Tools(paths, mask, Report(paths, clock, mask))
        self._pods, self._turns = Pods(paths, clock, self._tools), Turns(paths, clock, self._tools)

    def run(self) -> int:
        node = files.read_json(self._paths.node)
        if node.get("certificateRenewal") == "none":
            return 0
        held = self._leaves()
        if self._left(held[0]) > self._days and not self._pending.exists():
            self._telling.quietly(f"{_said(held)}, which is later than in {self._days:g} days", **_facts(held))
            self._look_at_authorities()
            return 0
        self._require_authorities()
        with ExitStack() as turn:
            self._await_turn(turn, urgent=self._left(held[0]) < self._days * URGENT)
            self._renew(held, str(node.get("admin", "")))
        return 0

    def _renew(self, held: list[Certificate], admin: str) -> None:
        # It outlives a power cut: what has been renewed must be used, too.
        if not self._pending.exists():
            files.write_json(self._pending, {"admin": _digest(self._paths.admin_conf)}, 0o600)
        digest = str(files.read_json(self._pending).get("admin", ""))
        ended = self._tools.perform("kubeadm", "certs", "renew", "all", log="renewal", limit=LIMIT)
        if ended.code:
            raise Trouble(FAILED, "renewal-failed", f"kubeadm certs renew all: {ended.out.strip()[-300:]}")
        renewed = self._leaves()
        # Or the control plane would be restarted every day, for what kubeadm does not renew.
        due = {item.name: item.ends for item in held if self._left(item) < self._days}
        if left := [item.name for item in renewed if item.ends <= due.get(item.name, 0)]:
            raise Trouble(FAILED, "renewal-failed", f"kubeadm has left {', '.join(left)} as it was")
        self._restart()
        served = self._serve(admin, digest)
        self._pending.unlink()
        self._telling.done(f"renewed: {_said(renewed)}{served}", **_facts(renewed))

    def _restart(self) -> None:
        # Who has lost its lease while the API server was gone has ended already, and reads the new ones when it starts.
        old = {name: self._pods.running(name) for name in (API_SERVER, *CLIENTS) if self._pods.has(name)}
        self._pods.restart(API_SERVER, old.pop(API_SERVER))
        self._pods.await_api()
        for name, containers in old.items():
            self._pods.restart(name, containers)

    def _serve(self, user: str, digest: str) -> str:
        """The admin user's own copy of admin.conf."""
        if not user:
            return ""
        script, fresh = ADMIN.format(digest=digest), self._paths.admin_conf.read_text()
        answer = self._tools.ask("runuser", "--login", user, "--command", script, given=fresh)
        return f"; {user} keeps another ~/.kube/config" if answer.code else f"; {user} has the new ~/.kube/config"

    def _await_turn(self, turn: ExitStack, *, urgent: bool) -> None:
        try:
            turn.enter_context(self._turns.held())
            # After a run that was cut off, it is this one that is down.
            if not self._pending.exists():
                self._turns.require_others()
        except Trouble:
            if not urgent:
                raise

    def _require_authorities(self) -> None:
        if missing := certificates.missing_keys(self._paths):
            keys = ", ".join(f"{name}.key" for name in missing)
            raise Trouble(FAILED, "ca-external", f"certificates are to be renewed, and {keys} is not on this machine")
        names = [item.name for item in certificates.authorities(self._paths)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            # kubeadm would leave the first alone in the kubeconfigs (its renewal/readwriter.go).
            message = f"certificates are to be renewed, and {', '.join(twice)} holds several CAs"
            raise Trouble(WAITING, "ca-rotation", message)

    def _look_at_authorities(self) -> None:
        for item in certificates.authorities(self._paths):
            if self._left(item) < self._days:
                raise Trouble(WAITING, "ca-ends", f"the CA {item.name} ends at {timestamp(item.ends)}")

    def _leaves(self) -> list[Certificate]:
        try:
            return certificates.leaves(self._paths)
        except ValueError as error:
            raise Trouble(FAILED, "certificate-invalid", str(error)) from error

    def _left(self, item: Certificate) -> float:
        return (item.ends - self._clock.now()) / DAY

    @property
    def _pending(self) -> Path:
        return self._paths.home / "renewal-pending"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _said(items: list[Certificate]) -> str:
    return f"the first of {len(items)} certificates, {items[0].name}, ends at {timestamp(items[0].ends)}"


def _facts(items: list[Certificate]) -> dict[str, dict[str, str]]:
    return {"certificates": {item.name: timestamp(item.ends) for item in items}}

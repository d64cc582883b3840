"""One run of the install, from the first script to the start of first boot."""

from __future__ import annotations

from pathlib import Path

from bootstrap import files
from bootstrap.clock import Clock, timestamp
from bootstrap.engine import BETWEEN_TRIES
from bootstrap.failures import Final, Retry
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.program import FINAL, SUCCESS
from bootstrap.reasons import Note
from bootstrap.report import Report
from bootstrap.tools import Tools

from installing import machine

PHASE = "install"
STEP_LIMIT = 3600.0
LAST_WORDS = 600
VERIFY = "85-"
# What the scripts are told beside image.env. Files of user-data are there before the package that they configure.
ENVIRONMENT = {
    "PACKER_BUILDER_TYPE": machine.BUILDER,
    "DPKG_FORCE": "confdef,confold",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def run(paths: Paths, clock: Clock, work: Path) -> int:
    """Installs until it is done; the exit code is for systemd."""
    # What it holds has a mode of its own; the status is for everybody.
    paths.home.chmod(0o755)
    mask = Masker()
    report = Report(paths, clock, mask)
    node = files.read_json(paths.node)
    report.facts.update(contract=node.get("contract", 0), role=node.get("role", ""))
    tools = Tools(paths, mask, report)
    told = files.read_json(paths.home / "stock/stock.json")
    try:
        report.begin(PHASE, "check-machine")
        if machine.is_baked(paths, work):
            report.ok(Note("baked-already", "the image holds all of this already"))
        else:
            machine.check(paths, work)
            report.ok(Note())
            machine.adapt(work, told.get("keep", ()))
            _install(work, clock, report, tools)
    except Final as failure:
        report.failed(failure)
        return FINAL
    _hand_over(paths, clock, work, tools)
    return SUCCESS


def _install(work: Path, clock: Clock, report: Report, tools: Tools) -> None:
    """Runs all scripts; each may be run again, so that a try that failed starts over."""
    tries = 0
    while (failure := _try(work, report, tools)) is not None:
        delay = clock.spread(BETWEEN_TRIES.delay(tries))
        tries += 1
        report.retry(failure, delay)
        clock.sleep(delay)


def _try(work: Path, report: Report, tools: Tools) -> Retry | None:
    """Runs one script after the other, until one fails."""
    try:
        for script in sorted((work / "scripts").glob("*.sh")):
            _run(script, report, tools)
    except Retry as failure:
        return failure
    return None


def _run(script: Path, report: Report, tools: Tools) -> None:
    report.begin(PHASE, script.stem)
    done = tools.perform("bash", str(script), log=PHASE, limit=STEP_LIMIT, environment=ENVIRONMENT)
    if done.code:
        reason = "verify-failed" if script.name.startswith(VERIFY) else "install-failed"
        words = " | ".join(line.strip() for line in done.out.splitlines() if line.strip())
        raise Retry(reason, f"{script.name} ended with code {done.code}: {words[-LAST_WORDS:]}")
    report.ok(Note())


def _hand_over(paths: Paths, clock: Clock, work: Path, tools: Tools) -> None:
    """The marker comes before the packed files go: if the power fails in between, there is nothing left to install."""
    evidence = paths.at("/var/lib/imagegen-build")
    files.private_folder(paths.logs)
    for path in evidence.glob("*.json"):
        files.write(paths.logs / f"install-{path.name}", path.read_bytes(), 0o600)
    files.remove(evidence)
    files.remove(work)
    files.write_json(paths.home / "installed", {"at": timestamp(clock.now())}, 0o644)
    files.remove(paths.home / "stock")
    tools.ask("systemctl", "daemon-reload")
    tools.ask("systemctl", "start", "--no-block", "imagegen-bootstrap.service")

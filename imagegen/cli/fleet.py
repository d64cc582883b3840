"""`imagegen render FOLDER`, `imagegen validate FOLDER`: many specs in one run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import typer

from imagegen.cli.common import FINDINGS, RefusedError, check_spec, find_bundle, load_assets, read_text
from imagegen.cli.render import manifest_before
from imagegen.console import Format, complain, progress, say, show_report
from imagegen.diagnostics import Position, Report
from imagegen.external import tracked_by_git
from imagegen.fleet import Choice, Look, choose, look
from imagegen.output import claim, replace_tree, sweep
from imagegen.pipeline import render as render_cluster
from imagegen.workers import Workers

_SECRETS = ".secrets.yaml"
_MOST_NAMED = 10
_tracked = cache(tracked_by_git)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one spec: how many files, unless it failed; `refused` says what no finding is for."""

    spec: str
    files: int | None = None
    report: Report = field(default_factory=Report)
    refused: str = ""


@dataclass(slots=True)
class _Sum:
    """What came of all of them."""

    done: int = 0
    files: int = 0
    failed: list[str] = field(default_factory=list)
    report: Report = field(default_factory=Report)


def render_fleet(folder: Path, out: Path) -> None:
    """Render every spec below the folder into OUT/<cluster>, on all processors; none that fails stops another."""
    with Workers() as workers:
        choice = _choose(folder, workers)
        with claim(out):
            sweep(out, choice.clusters)
            total = _go_through(choice, workers, partial(_render, out))
    _conclude(choice, total, f"in {out}/ ({total.files:,} files)")


def validate_fleet(folder: Path, form: Format) -> None:
    """Check every spec below the folder; as JSON, all findings are one list."""
    with Workers() as workers:
        choice = _choose(folder, workers)
        total = _go_through(choice, workers, _check, form)
    _conclude(choice, total, "fine", form)


def _choose(folder: Path, workers: Workers) -> Choice:
    looks = {found.file: found for found in workers.spread(_look, _yaml_files(folder))}
    choice = choose(looks, _bases_elsewhere(looks))
    if not choice.specs and not choice.clashing:
        complain(f"{folder}: there is no spec below it (`*.yaml` with a Cluster document that no other file extends)")
        raise typer.Exit(FINDINGS)
    return choice


def _yaml_files(folder: Path) -> list[str]:
    """The YAML files below the folder but bundles, hidden ones, and what imagegen itself wrote."""
    files: list[str] = []
    for where, folders, names in os.walk(folder):
        if _is_output(Path(where)):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        wanted = (name for name in sorted(names) if name.endswith(".yaml") and not name.startswith("."))
        files += (os.path.normpath(f"{where}/{name}") for name in wanted if not name.endswith(_SECRETS))
    return files


def _is_output(folder: Path) -> bool:
    try:
        return "imagegen" in json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError, TypeError):
        return False


def _look(file: str) -> Look:
    try:
        return look(read_text(Path(file)), file)
    except (RefusedError, OSError):
        # Its check says what is wrong with it.
        return Look(file=file, about_cluster=True, place=Position(file=file, line=1, column=1))


def _bases_elsewhere(looks: dict[str, Look]) -> dict[str, Look]:
    """What specs of the folder extend outside of it: a cluster's name may stand there."""
    found: dict[str, Look] = {}
    waiting = [base for one in looks.values() for base in one.extends]
    while waiting:
        file = waiting.pop()
        if file not in looks and file not in found:
            found[file] = _look(file)
            waiting += found[file].extends
    return found


def _go_through(choice: Choice, workers: Workers, work: Callable[[str], Outcome], form: Format = Format.TEXT) -> _Sum:
    total = _Sum(failed=list(choice.clashing))
    _tell(choice.clashes, total, form)
    with progress(len(choice.specs)) as bar:
        for outcome in workers.spread(work, choice.specs):
            if outcome.report.diagnostics or outcome.refused:
                with bar.aside():
                    _tell(outcome.report, total, form)
                    if outcome.refused:
                        complain(outcome.refused)
            if outcome.files is None:
                total.failed.append(outcome.spec)
            else:
                total.done += 1
                total.files += outcome.files
            bar.step()
    return total


def _tell(report: Report, total: _Sum, form: Format) -> None:
    """At once as text; as JSON at the end, in one list."""
    if form is Format.JSON:
        total.report = total.report.followed_by(replace(report, sources=()))
    else:
        show_report(report, form)


def _check(spec: str) -> Outcome:
    try:
        cluster, report = check_spec(Path(spec), load_assets())
    except (RefusedError, OSError) as error:
        return Outcome(spec=spec, refused=_in_words(error))
    return Outcome(spec=spec, files=None if cluster is None else 0, report=report)


def _render(out: Path, spec: str) -> Outcome:
    try:
        return _render_one(out, spec)
    except (RefusedError, OSError) as error:
        return Outcome(spec=spec, refused=_in_words(error))


def _render_one(out: Path, spec: str) -> Outcome:
    path, loaded = Path(spec), load_assets()
    cluster, report = check_spec(path, loaded)
    if cluster is None:
        return Outcome(spec=spec, report=report)
    bundle, of_bundle = find_bundle(path, cluster, is_tracked=lambda file: file.name in _tracked(file.parent))
    report = report.followed_by(of_bundle)
    if bundle is None:
        return Outcome(spec=spec, report=report)
    rendering, of_sizes = render_cluster(cluster, bundle, loaded)
    report = report.followed_by(of_sizes)
    if rendering is None:
        return Outcome(spec=spec, report=report)
    folder = out / cluster.metadata.name
    replace_tree(rendering.tree, folder, frozenset(manifest_before(folder)["files"]))
    return Outcome(spec=spec, report=report, files=len(rendering.tree))


def _in_words(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _conclude(choice: Choice, total: _Sum, what: str, form: Format = Format.TEXT) -> None:
    """The one summary, and the exit code."""
    if form is Format.JSON:
        show_report(total.report, form)
    else:
        say(_summary(choice, total, what))
    if total.failed:
        raise typer.Exit(FINDINGS)


def _summary(choice: Choice, total: _Sum, what: str) -> str:
    count = total.done + len(total.failed)
    text = f"{total.done:,} of {count:,} clusters are {what}"
    if choice.others:
        text += f"; of {choice.others:,} other files, none is a spec by itself"
    if total.failed:
        named, more = ", ".join(total.failed[:_MOST_NAMED]), len(total.failed) - _MOST_NAMED
        text += f"; {len(total.failed):,} failed: {named}" + (f" and {more:,} more" if more > 0 else "")
    return text

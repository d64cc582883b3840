"""`imagegen render FOLDER`, `imagegen validate FOLDER`: many specs in one run."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache, partial
from io import StringIO
from pathlib import Path

import typer

from imagegen.cli.bundles import Sought, read_bundle
from imagegen.cli.codes import FINDINGS
from imagegen.cli.common import check_spec, load_assets, read_spec, read_text, stop
from imagegen.cli.writing import render_into
from imagegen.console import Format, complain, say, show_json, show_report
from imagegen.diagnostics import Position, Report
from imagegen.external import tracked_by_git
from imagegen.fleet import Choice, Look, choose, look
from imagegen.live import Bar
from imagegen.output import claim, replace_tree, sweep
from imagegen.workers import Workers

_SECRETS = ".secrets.yaml"
_MOST_NAMED = 10
_tracked = cache(tracked_by_git)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one spec: how many files, unless it failed; `said` is what it had to say."""

    spec: str
    files: int | None = None
    report: Report = field(default_factory=Report)
    said: str = ""


@dataclass(slots=True)
class _Sum:
    """What came of all of them."""

    done: int = 0
    files: int = 0
    failed: list[str] = field(default_factory=list)
    report: Report = field(default_factory=Report)


def render_fleet(folder: Path, out: Path, sought: Sought) -> None:
    """Render every spec below the folder into OUT/<cluster>, on all processors; none that fails stops another."""
    with Workers() as workers:
        choice = _choose(folder, workers, sought.form)
        with claim(out):
            sweep(out, choice.clusters)
            once = replace(sought, form=Format.TEXT, is_tracked=_is_tracked)
            total = _go_through(choice, workers, partial(_render, out, once))
    what = f"in {out}/ ({total.files:,} files)"
    if sought.form is Format.JSON:
        rendered = {"folder": str(out), "clusters": total.done, "files": total.files, "failed": total.failed}
        show_json(rendered | {"others": choice.others})
    else:
        say(_summary(choice, total, what))
    _end(total)


def validate_fleet(folder: Path, form: Format) -> None:
    """Check every spec below the folder; as JSON, all findings are one list."""
    with Workers() as workers:
        choice = _choose(folder, workers, form)
        total = _go_through(choice, workers, _check, form)
    if form is Format.JSON:
        show_report(total.report, form)
    else:
        say(_summary(choice, total, "fine"))
    _end(total)


def _is_tracked(path: Path) -> bool:
    return path.name in _tracked(path.parent)


def _choose(folder: Path, workers: Workers, form: Format) -> Choice:
    looks = {found.file: found for found in workers.spread(_look, _yaml_files(folder))}
    choice = choose(looks, _bases_elsewhere(looks))
    if not choice.specs and not choice.clashing:
        stop(f"{folder}: there is no spec below it (`*.yaml` with a Cluster document that no other file extends)", form)
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
    except (UnicodeDecodeError, OSError):
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
    with Bar(len(choice.specs)) as bar:
        for outcome in workers.spread(work, choice.specs):
            if outcome.report.diagnostics or outcome.said:
                with bar.aside():
                    _tell(outcome.report, total, form)
                    if outcome.said:
                        complain(outcome.said)
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
    except OSError as error:
        return Outcome(spec=spec, said=_in_words(error))
    return Outcome(spec=spec, files=None if cluster is None else 0, report=report)


def _render(out: Path, sought: Sought, spec: str) -> Outcome:
    # The command for one spec, whose words wait until it is their turn.
    said, files = StringIO(), None
    with redirect_stderr(said), redirect_stdout(said):
        try:
            files = _render_one(out, sought, Path(spec))
        except typer.Exit:
            pass
        except OSError as error:
            complain(_in_words(error))
    return Outcome(spec=spec, files=files, said=said.getvalue().rstrip("\n"))


def _render_one(out: Path, sought: Sought, spec: Path) -> int:
    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    bundle = read_bundle(spec, cluster, sought)
    return len(render_into(out, cluster, bundle, loaded, Format.TEXT, replace_tree).rendering.tree)


def _in_words(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _end(total: _Sum) -> None:
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

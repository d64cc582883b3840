"""A role's journey, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagegen.console import say, table_lines
from imagegen.journey import Journey, Stage, StagedFile

_INDENT = " " * 5
# The one module of cloud-init that goes before the files.
_BEFORE_FILES = "bootcmd"


def show_journey(journey: Journey) -> None:
    """What happens, numbered."""
    for line in _lines(journey):
        say(line)


def journey_as_data(journey: Journey) -> dict[str, Any]:
    """The same for a program; limits in bytes and in seconds, null where there is none."""
    return {
        "cluster": journey.cluster,
        "role": journey.role,
        "kind": str(journey.kind),
        "userData": {"bytes": journey.size, "limit": journey.limit or None},
        "files": [
            {"path": file.path, "mode": file.mode, "bytes": file.size, "exact": file.exact, "secret": file.secret}
            for file in journey.files
        ],
        "cloudInit": [{"module": action.module, "does": action.does} for action in journey.actions],
        "install": [{"name": step.name, "does": step.does} for step in journey.steps],
        "phases": [
            {
                "name": stage.phase.name,
                "does": stage.phase.does,
                "condition": stage.condition or None,
                "limitSeconds": stage.phase.limit,
                "atLimit": stage.phase.at_limit if stage.phase.limit else None,
                "again": stage.phase.again or None,
            }
            for stage in journey.stages
        ],
        "ready": journey.ready,
    }


def _lines(journey: Journey) -> Iterator[str]:
    limit = f" of at most {journey.limit:,}" if journey.limit else ""
    yield f"{journey.role} of cluster `{journey.cluster}`: about {journey.size:,} bytes of user-data{limit}"
    yield ""
    yield "cloud-init"
    early = [action for action in journey.actions if action.module == _BEFORE_FILES]
    late = [action for action in journey.actions if action.module != _BEFORE_FILES]
    for number, action in enumerate(early, 1):
        yield f"{number:>3}. {action.module}: {action.does}"
    yield f"{len(early) + 1:>3}. write_files: writes"
    yield from (_INDENT + line for line in _files(journey.files))
    for number, action in enumerate(late, len(early) + 2):
        yield f"{number:>3}. {action.module}: {action.does}"
    yield ""
    if journey.steps:
        yield "imagegen-install.service, as soon as the files are there; whatever fails, all of it is tried again"
        for number, step in enumerate(journey.steps, 1):
            yield f"{number:>3}. {step.name}: {step.does}"
        yield ""
    yield f"imagegen-bootstrap.service, as soon as {'that is done' if journey.steps else 'the files are there'}"
    for number, stage in enumerate(journey.stages, 1):
        condition = f"{stage.condition}: " if stage.condition else ""
        yield f"{number:>3}. {stage.phase.name}: {condition}{stage.phase.does}"
        yield from (_INDENT + line for line in _limits(stage))
    yield ""
    yield f"Then {journey.ready}."
    yield "A wait for which no limit stands here lasts as long as it takes, so machines may start in any order."


def _files(files: tuple[StagedFile, ...]) -> tuple[str, ...]:
    rows = [
        (file.path, file.mode, f"{'' if file.exact else 'about '}{file.size:,}", "secret" if file.secret else "")
        for file in files
    ]
    return table_lines(("path", "mode", "bytes", ""), rows, right=("bytes",))


def _limits(stage: Stage) -> Iterator[str]:
    phase = stage.phase
    if phase.limit:
        then = "goes on without" if phase.at_limit == "go on" else "tries again"
        yield f"at most {phase.limit:.0f} seconds, then {then}"
    if phase.again:
        yield f"if that fails: back to {phase.again}, after a pause that grows from 10 to 120 seconds"

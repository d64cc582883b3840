"""`imagegen explain`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from imagegen import assets
from imagegen.cli.common import FINDINGS, load_assets, read_spec
from imagegen.console import complain, say


def explain(
    subject: Annotated[str, typer.Argument(metavar="CODE|SPEC", help="A diagnostic's code, or a spec.")],
) -> None:
    """Explain a diagnostic (IG204), or print a spec with every default written out."""
    if re.fullmatch(r"[A-Za-z]{2}[0-9]{3}", subject):
        _explain_code(subject.upper())
    else:
        _explain_spec(Path(subject))


def _explain_code(code: str) -> None:
    pages = assets.catalog().diagnostics
    if code not in pages:
        complain(f"there is no diagnostic {code}; docs/diagnostics.md lists them")
        raise typer.Exit(FINDINGS)
    say(f"{code}: {pages[code].title}\n\n{pages[code].help}")


def _explain_spec(path: Path) -> None:
    from imagegen import yaml_dump  # noqa: PLC0415  slow to import
    from imagegen.encode import encode_cluster  # noqa: PLC0415
    from imagegen.planner import decide  # noqa: PLC0415

    loaded = load_assets()
    cluster = decide(read_spec(path, loaded), loaded.catalog)
    typer.echo(yaml_dump.dump_all(encode_cluster(cluster, loaded.schema)), nl=False)

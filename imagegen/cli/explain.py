"""`imagegen explain`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from imagegen import assets
from imagegen.cli.common import FormatOption, load_assets, read_spec, stop
from imagegen.cli.completion import complete_codes, complete_roles
from imagegen.console import Format, say, show_json


def explain(
    subject: Annotated[
        str,
        typer.Argument(metavar="CODE|SPEC", help="A diagnostic's code, or a spec.", autocompletion=complete_codes),
    ],
    role: Annotated[
        str | None,
        typer.Option("--role", help="Tell what this role does on first boot.", autocompletion=complete_roles),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Explain a diagnostic, a spec, or a role's first boot.

    CODE: what a diagnostic (IG204) means. SPEC: the same spec with every default written out. SPEC --role ROLE: what
    such a machine does from its first boot until the node is Ready, in order; it needs no secrets, and shows none.
    """
    is_code = re.fullmatch(r"[A-Za-z]{2}[0-9]{3}", subject) is not None
    if not is_code and not Path(subject).exists():
        raise typer.BadParameter(f"`{subject}` is neither a diagnostic's code nor a file")
    if is_code and role is not None:
        raise typer.BadParameter("--role belongs to a spec, not to a code")
    if is_code:
        _explain_code(subject.upper(), form)
    elif role is None:
        _explain_spec(Path(subject), form)
    else:
        _explain_role(Path(subject), role, form)


def _explain_code(code: str, form: Format) -> None:
    pages = assets.catalog().diagnostics
    if code not in pages:
        stop(f"there is no diagnostic {code}; docs/diagnostics.md lists them", form)
    if form is Format.JSON:
        show_json({"code": code, "title": pages[code].title, "help": pages[code].help})
    else:
        say(f"{code}: {pages[code].title}\n\n{pages[code].help}")


def _explain_spec(path: Path, form: Format) -> None:
    from imagegen import yaml_dump  # noqa: PLC0415  slow to import
    from imagegen.encode import encode_cluster  # noqa: PLC0415
    from imagegen.planner import decide  # noqa: PLC0415

    loaded = load_assets()
    cluster, *images = encode_cluster(decide(read_spec(path, loaded, form), loaded.catalog), loaded.schema)
    if form is Format.JSON:
        show_json({"cluster": cluster, "images": images})
    else:
        typer.echo(yaml_dump.dump_all((cluster, *images)), nl=False)


def _explain_role(path: Path, name: str, form: Format) -> None:
    from imagegen.cli.told import journey_as_data, show_journey  # noqa: PLC0415  slow to import
    from imagegen.journey import tell  # noqa: PLC0415
    from imagegen.pipeline import pack_stocks  # noqa: PLC0415
    from imagegen.planner import plan_cluster  # noqa: PLC0415
    from imagegen.secrets.placeholder import bundle_for  # noqa: PLC0415
    from imagegen.userdata import render_artifact  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(path, loaded, form)
    plan = plan_cluster(cluster, loaded.catalog, bundle_for(cluster))
    roles = {role.name: role for role in plan.roles}
    if name not in roles:
        stop(f"there is no role `{name}`; known: {', '.join(roles)}", form)
    stock = pack_stocks(plan, loaded).get(roles[name].image)
    artifact = render_artifact(roles[name], loaded.templates, plan.delivery, stock)
    journey = tell(roles[name], artifact, assets.phases(), stock.steps if stock else ())
    if form is Format.JSON:
        show_json(journey_as_data(journey))
    else:
        show_journey(journey)

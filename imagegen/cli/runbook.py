"""`imagegen runbook`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, is_encrypted_file, read_bundle, secrets_path
from imagegen.cli.common import FormatOption, OutOption, SpecArgument, load_assets, read_spec
from imagegen.console import Format, complain, say, show_json
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.spec import Cluster


def runbook(
    spec: SpecArgument,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Write the cluster's own pages for its operator.

    They go into OUT/<cluster>/runbook: check it, add a node, remove one and join it again, tokens, certificates,
    replace a control plane, upgrade. No page holds a secret; without the bundle or its key they lack the tokens' ids.
    """
    from imagegen.planner import plan_cluster  # noqa: PLC0415  slow to import, and `--help` needs none of it
    from imagegen.runbook import FOLDER, PAGES, Desk, render_runbook  # noqa: PLC0415
    from imagegen.secrets.placeholder import bundle_for  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    bundle = _bundle_if_open(spec, cluster, Sought(secrets, identity, form))
    plan = plan_cluster(cluster, loaded.catalog, bundle or bundle_for(cluster))
    desk = Desk(spec=str(spec), out=str(out), secrets=str(secrets) if secrets else None, opened=bundle is not None)
    tree = render_runbook(plan, loaded.templates, desk)
    folder = out / plan.name / FOLDER
    write_tree(tree, folder, frozenset(f"{page}.md" for page in PAGES))
    if form is Format.JSON:
        pages = [path for path, _ in tree]
        show_json({"cluster": plan.name, "folder": str(folder), "pages": pages, "tokenIDs": desk.opened})
        return
    if bundle is None:
        complain("the secrets bundle was not read: the pages lack the tokens' ids")
    say(f"wrote {len(tree)} pages to {folder}/; its README.md says what each is for")


def _bundle_if_open(spec: Path, cluster: Cluster, sought: Sought) -> Bundle | None:
    """The bundle, unless there is none, or none that can be opened; one that the user names must be there."""
    path = secrets_path(spec, cluster, sought.secrets, sought.form)
    named = sought.secrets is not None
    closed = path.is_file() and sought.identity is None and is_encrypted_file(path)
    if not named and (closed or not path.exists()):
        return None
    return read_bundle(spec, cluster, sought)

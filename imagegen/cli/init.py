"""`imagegen init`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from imagegen.cli.common import load_assets, stop, stop_for
from imagegen.cli.completion import complete_versions
from imagegen.console import complain, say, show_report
from imagegen.output import write_new


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    option: str
    text: str
    default: str


_QUESTIONS = (
    _Question(option="name", text="Name of the cluster", default="demo"),
    _Question(option="node_cidr", text="Network of the machines", default="192.168.0.0/24"),
    _Question(option="endpoint", text="host:port of the API server", default="192.168.0.10:6443"),
)

_TAKEN = "is there already; name another file"


# `ProviderType`, without the import of all that a spec is.
Provider = Literal["qemu", "alicloud", "aws", "gcp", "azure", "openstack", "vsphere"]
VersionOption = Annotated[
    str | None,
    typer.Option("--kubernetes", help="Exact version; default: the newest.", autocompletion=complete_versions),
]


def init(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="The file to write.")] = Path("cluster.yaml"),
    provider: Annotated[Provider, typer.Option("--provider", help="Where the machines run.")] = "qemu",
    region: Annotated[str, typer.Option("--region", help="The cloud's region.")] = "cn-hangzhou",
    version: VersionOption = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the cluster.")] = None,
    node_cidr: Annotated[str | None, typer.Option("--node-cidr", help="Network of the machines.")] = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="host:port of the API server.")] = None,
) -> None:
    """Write a commented starter spec.

    What no option says is asked on a terminal, and has a default elsewhere. A file that is there is left alone.
    """
    from imagegen import templating  # noqa: PLC0415  slow to import
    from imagegen.pipeline import check  # noqa: PLC0415

    if path.exists() or path.is_symlink():
        stop(f"{path}: {_TAKEN}")
    given = {"name": name, "node_cidr": node_cidr, "endpoint": endpoint}
    answers = {question.option: given[question.option] or _answer(question) for question in _QUESTIONS}
    loaded = load_assets()
    version = version or loaded.catalog.newest
    values = {**answers, "provider": provider, "region": region, "version": version}
    text = templating.render(loaded.templates["init/cluster.yaml"], values)
    cluster, report = check(text, str(path), loaded)
    if cluster is None:
        complain("nothing was written: with these answers the spec would not be fine")
        stop_for(report)
    show_report(report)
    try:
        write_new(path, text)
    except FileExistsError:
        stop(f"{path}: {_TAKEN}")
    path.chmod(0o644)
    say(f"wrote {path}; next: `imagegen secrets new {path}`, then `imagegen render {path}`")


def _answer(question: _Question) -> str:
    # Without a terminal nobody answers, or sees what is asked.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return question.default
    sys.stderr.write(f"{question.text} [{question.default}]: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        complain("")
        stop("nothing was written")
    return answer.strip() or question.default

"""`imagegen init`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.common import FINDINGS, load_assets
from imagegen.console import Format, complain, say, show_report
from imagegen.output import write_new
from imagegen.spec import ProviderType


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


def init(
    path: Annotated[Path, typer.Argument(metavar="SPEC", help="The file to write.")] = Path("cluster.yaml"),
    provider: Annotated[ProviderType, typer.Option("--provider", help="Where the machines run.")] = ProviderType.QEMU,
    region: Annotated[str, typer.Option("--region", help="The cloud's region.")] = "cn-hangzhou",
    version: Annotated[str | None, typer.Option("--kubernetes", help="Exact version; default: the newest.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the cluster.")] = None,
    node_cidr: Annotated[str | None, typer.Option("--node-cidr", help="Network of the machines.")] = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="host:port of the API server.")] = None,
) -> None:
    """Write a commented starter spec; what no option says is asked on a terminal, and has a default elsewhere."""
    from imagegen import templating  # noqa: PLC0415  slow to import
    from imagegen.pipeline import check  # noqa: PLC0415

    given = {"name": name, "node_cidr": node_cidr, "endpoint": endpoint}
    answers = {question.option: given[question.option] or _answer(question) for question in _QUESTIONS}
    loaded = load_assets()
    version = version or loaded.catalog.newest
    values = {**answers, "provider": str(provider), "region": region, "version": version}
    text = templating.render(loaded.templates["init/cluster.yaml"], values)
    cluster, report = check(text, str(path), loaded)
    show_report(report, Format.TEXT)
    if cluster is None:
        complain("nothing was written")
        raise typer.Exit(FINDINGS)
    try:
        write_new(path, text)
    except FileExistsError:
        complain(f"{path}: is there already; name another file")
        raise typer.Exit(FINDINGS) from None
    path.chmod(0o644)
    say(f"wrote {path}; next: `imagegen secrets new {path}`, then `imagegen render {path}`")


def _answer(question: _Question) -> str:
    if not sys.stdin.isatty():
        return question.default
    answer: str = typer.prompt(question.text, default=question.default)
    return answer

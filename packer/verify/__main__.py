"""Checks that run on the machine being baked: of the bundle before, of everything declared after."""  # noqa: INP001

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from baked import bundle, checks, download, report


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    of_bundle = commands.add_parser("bundle", help="check the files of a bundle against its bundle.json")
    of_bundle.add_argument("folder", type=Path)
    of_bundle.add_argument("--sha256", default="", help="what bundle.json must hash to; empty: not pinned")
    of_bundle.add_argument("--architecture", required=True)
    of_bundle.add_argument("--kubernetes", required=True)
    of_download = commands.add_parser("download", help="bring a bundle from where it is served")
    of_download.add_argument("url", help="of the folder")
    of_download.add_argument("folder", type=Path)
    of_download.add_argument("--sha256", required=True, help="what bundle.json must hash to")
    of_image = commands.add_parser("image", help="check the machine against declared.json, write a report")
    of_image.add_argument("declared", type=Path)
    of_image.add_argument("report", type=Path)
    of_report = commands.add_parser("report", help="print what failed in a report")
    of_report.add_argument("report", type=Path)
    return _RUN[parser.parse_args().command](parser.parse_args())


def _bundle(arguments: argparse.Namespace) -> int:
    wanted = bundle.Wanted(
        sha256=arguments.sha256, architecture=arguments.architecture, kubernetes=arguments.kubernetes
    )
    problems = bundle.problems(arguments.folder, wanted)
    for problem in problems:
        print(f"bundle: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def _download(arguments: argparse.Namespace) -> int:
    problems = download.fetch(arguments.url, arguments.sha256, arguments.folder)
    for problem in problems:
        print(f"download: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def _image(arguments: argparse.Namespace) -> int:
    declared = json.loads(arguments.declared.read_text())
    report.write(arguments.report, checks.run(declared))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    written = json.loads(arguments.report.read_text())
    for line in report.failures(written):
        print(f"verify: {line}", file=sys.stderr)  # noqa: T201
    return 0 if written["passed"] else 1


_RUN = {"bundle": _bundle, "download": _download, "image": _image, "report": _report}

if __name__ == "__main__":
    sys.exit(main())

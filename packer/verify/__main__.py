"""Checks that run on the machine being baked: of the bundle before, of everything declared after; its inventory."""  # noqa: INP001

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from baked import bundle, checks, fetch, inventory, keys, report, served


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    of_bundle = commands.add_parser("bundle", help="check the files of a bundle against its bundle.json")
    of_bundle.add_argument("folder", type=Path)
    of_bundle.add_argument("--sha256", default="", help="what bundle.json must hash to; empty: not pinned")
    of_bundle.add_argument("--architecture", required=True)
    of_bundle.add_argument("--kubernetes", required=True)
    of_lock = commands.add_parser("fetch", help="fetch what lock.json lists into a folder like a bundle")
    of_lock.add_argument("lock", type=Path)
    of_lock.add_argument("folder", type=Path)
    of_lock.add_argument(
        "--mirrors",
        action="append",
        default=[],
        help="OLD=NEW words: what is asked in place of addresses; those of an earlier list go before a later one's",
    )
    of_lock.add_argument("--architecture", required=True)
    of_lock.add_argument("--kubernetes", required=True)
    of_lock.add_argument("--source", required=True)
    of_server = commands.add_parser("download", help="bring a bundle from where it is served")
    of_server.add_argument("url", help="of the folder")
    of_server.add_argument("folder", type=Path)
    of_server.add_argument("--sha256", required=True, help="what bundle.json must hash to")
    of_server.add_argument("--architecture", required=True)
    of_server.add_argument("--kubernetes", required=True)
    of_digest = commands.add_parser("digest", help="print the digest that lock.json has for an image")
    of_digest.add_argument("lock", type=Path)
    of_digest.add_argument("image")
    of_key = commands.add_parser("key", help="fetch a signing key, and refuse any other than the named one")
    of_key.add_argument("url")
    of_key.add_argument("file", type=Path)
    of_key.add_argument("--fingerprint", required=True)
    of_image = commands.add_parser("image", help="check the machine against declared.json, write a report")
    of_image.add_argument("declared", type=Path)
    of_image.add_argument("report", type=Path)
    of_inventory = commands.add_parser("inventory", help="write down what is in the machine")
    of_inventory.add_argument("declared", type=Path)
    of_inventory.add_argument("inventory", type=Path)
    of_inventory.add_argument("--bundle", type=Path, required=True, help="what it was baked from")
    of_report = commands.add_parser("report", help="print what failed in a report")
    of_report.add_argument("report", type=Path)
    arguments = parser.parse_args()
    try:
        return _RUN[arguments.command](arguments)
    except (fetch.FetchError, ValueError) as failure:
        print(f"{arguments.command}: {failure}", file=sys.stderr)  # noqa: T201
        return 1


def _bundle(arguments: argparse.Namespace) -> int:
    wanted = bundle.Wanted(
        sha256=arguments.sha256, architecture=arguments.architecture, kubernetes=arguments.kubernetes
    )
    problems = bundle.problems(arguments.folder, wanted)
    for problem in problems:
        print(f"bundle: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def _fetch(arguments: argparse.Namespace) -> int:
    wanted = bundle.Wanted(
        sha256="", architecture=arguments.architecture, kubernetes=arguments.kubernetes, source=arguments.source
    )
    problems = fetch.fetch(arguments.lock, arguments.folder, wanted, fetch.Mirrors.parse(*arguments.mirrors))
    for problem in problems:
        print(f"fetch: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def _download(arguments: argparse.Namespace) -> int:
    wanted = bundle.Wanted(
        sha256=arguments.sha256, architecture=arguments.architecture, kubernetes=arguments.kubernetes
    )
    problems = served.download(arguments.url, arguments.folder, wanted)
    for problem in problems:
        print(f"download: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def _digest(arguments: argparse.Namespace) -> int:
    print(fetch.digest_of(arguments.lock, arguments.image))  # noqa: T201
    return 0


def _key(arguments: argparse.Namespace) -> int:
    content = fetch.read_small(arguments.url)
    found = keys.fingerprints(content)
    if found != {arguments.fingerprint}:
        print(f"key: {arguments.url} has {' '.join(sorted(found))}, not {arguments.fingerprint}", file=sys.stderr)  # noqa: T201
        return 1
    arguments.file.write_bytes(content)
    return 0


def _image(arguments: argparse.Namespace) -> int:
    declared = json.loads(arguments.declared.read_text())
    report.write(arguments.report, checks.run(declared))
    return 0


def _inventory(arguments: argparse.Namespace) -> int:
    declared = json.loads(arguments.declared.read_text())
    taken = inventory.take(Path("/"), declared, arguments.bundle)
    arguments.inventory.parent.mkdir(parents=True, exist_ok=True)
    arguments.inventory.write_text(json.dumps(taken, indent=2) + "\n")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    written = json.loads(arguments.report.read_text())
    for line in report.failures(written):
        print(f"verify: {line}", file=sys.stderr)  # noqa: T201
    return 0 if written["passed"] else 1


_RUN = {
    "bundle": _bundle,
    "fetch": _fetch,
    "digest": _digest,
    "download": _download,
    "key": _key,
    "image": _image,
    "inventory": _inventory,
    "report": _report,
}

if __name__ == "__main__":
    sys.exit(main())

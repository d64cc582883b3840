"""How long imagegen takes, beside what is under it: `make bench`.

Each figure stands beside its floor, measured in the same minute: a program that only starts, one that only imports what
a render is made of, one that only writes a fleet's files. Exit code 1 where a goal is missed by more than noise.
"""

import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from imagegen import __version__
from imagegen.cli.common import now
from imagegen.secrets.make import make_bundle
from imagegen.secrets.store import dump_bundle
from imagegen.spec import EncryptionAlgorithm
from tools import cache

ROOT = Path(__file__).parents[1]
QUICKSTART = ROOT / "examples" / "quickstart.yaml"
EMPTY = "import typer\napp = typer.Typer()\n@app.command()\ndef main() -> None: pass\napp()\n"
# jsonschema takes these where they are: cyclonedx, which only tests validate with, wants its extra `format-nongpl`. No
# user of imagegen has them by it, and rfc3987_syntax alone takes a second.
FORMATS = "fqdn idna isoduration jsonpointer rfc3339_validator rfc3986_validator rfc3987_syntax uri_template webcolors"
IMPORTS = f"""\
import sys
sys.modules.update(dict.fromkeys({FORMATS.split()}))
import typer, jinja2, yaml, jsonschema
"""
FLEET = 1000
CORES = 2
ROUNDS = 15
NOISE = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run took, in seconds, and the megabytes of its largest process."""

    wall: float
    cpu: float
    memory: float


def main() -> int:
    """Measure all, print a table, and say whether the goals are kept."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    # Programs that are installed have their bytecode.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(f"imagegen {__version__}, Python {platform.python_version()}, {CORES} cores, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory(prefix="imagegen-bench-") as folder:
        # The fleet comes first, and nothing is removed before the end: for minutes after, ext4 searches long for a
        # place that no removed file had.
        kept = [_fleet(Path(folder)), *_starts(Path(folder))]
    return 0 if all(kept) else 1


def _starts(folder: Path) -> list[bool]:
    bundle, python = folder / "quickstart.secrets.yaml", sys.executable
    _write_bundle("quickstart", bundle)
    imagegen = [python, "-m", "imagegen"]
    render = [*imagegen, "render", str(QUICKSTART), "--secrets", str(bundle), "--out", str(folder / "out{}")]
    empty, usage, imports, rendered = _best(
        [[python, "-c", EMPTY, "--help"], [*imagegen, "--help"], [python, "-c", IMPORTS], render]
    )
    return [
        _judge("imagegen --help", usage, "an empty typer program", empty, 1.5),
        _judge(
            "imagegen render quickstart.yaml", rendered, "only importing typer, jinja2, yaml, jsonschema", imports, 1.3
        ),
    ]


def _fleet(folder: Path) -> bool:
    specs = cache.made("bench-fleet", cache.key(QUICKSTART.read_bytes(), str(FLEET), __version__), _make_fleet)
    command = [sys.executable, "-m", "imagegen", "render"]
    few = _run([*command, str(specs / "few"), "--out", str(folder / "few")])
    all_of_them = _run([*command, str(specs / "all"), "--out", str(folder / "all")])
    files = sum(1 for path in (folder / "all").rglob("*") if path.is_file())
    floor = _write_only(folder / "all" / "c0000", folder / "floor")
    print(f"imagegen render FOLDER: {FLEET:,} specs, {files:,} files, in {folder.parent}")
    print(
        f"  {all_of_them.wall:.1f} s, goal 9.0 s; CPU {all_of_them.cpu:.1f} s; only writing these files {floor:.1f} s"
    )
    print(f"  largest process: {all_of_them.memory:.0f} MB; for {FLEET // 10} specs {few.memory:.0f} MB")
    return all_of_them.wall <= 9 * NOISE and all_of_them.memory <= few.memory * 1.25


def _best(commands: list[list[str]]) -> list[Cost]:
    """The best of some rounds in turns, so that a busy minute is everybody's; `{}` is the round's number."""
    rounds = [
        [_run([word.replace("out{}", f"out{number}") for word in command]) for command in commands]
        for number in range(ROUNDS)
    ]
    return [
        Cost(wall=min(cost.wall for cost in costs), cpu=min(cost.cpu for cost in costs), memory=costs[0].memory)
        for costs in zip(*rounds, strict=True)
    ]


def _run(command: list[str]) -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = max(used.ru_maxrss, children.ru_maxrss) / 1024
    return Cost(wall=time.perf_counter() - started, cpu=used.ru_utime + used.ru_stime, memory=memory)


def _judge(name: str, cost: Cost, floor_name: str, floor: Cost, goal: float) -> bool:
    ratio = min(cost.wall / floor.wall, cost.cpu / floor.cpu)
    print(f"{name}: {cost.wall * 1000:.0f} ms (CPU {cost.cpu * 1000:.0f})")
    print(f"  {floor_name}: {floor.wall * 1000:.0f} ms (CPU {floor.cpu * 1000:.0f}); {ratio:.2f} times, goal {goal}")
    return ratio <= goal * NOISE


def _make_fleet(folder: Path) -> None:
    text = QUICKSTART.read_text()
    for number in range(FLEET):
        name = f"c{number:04}"
        for group in ("all", "few") if number < FLEET // 10 else ("all",):
            path = folder / group / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace("name: quickstart", f"name: {name}"))
            _write_bundle(name, path.with_suffix(".secrets.yaml"))


def _write_bundle(name: str, path: Path) -> None:
    path.write_text(dump_bundle(make_bundle(name, ["workers"], EncryptionAlgorithm.ECDSA_P256, now())))
    path.chmod(0o600)


def _write_only(sample: Path, out: Path) -> float:
    """The seconds that it takes to write one cluster's files as often as there are clusters."""
    paths = sorted(sample.rglob("*"))
    folders = [str(path.relative_to(sample)) for path in paths if path.is_dir()]
    files = [(str(path.relative_to(sample)), path.read_bytes()) for path in paths if path.is_file()]
    out.mkdir()
    started = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(CORES) as pool:
        pool.map(partial(_write_sample, out, folders, files), range(FLEET), chunksize=FLEET // CORES)
    return time.perf_counter() - started


def _write_sample(out: Path, folders: list[str], files: list[tuple[str, bytes]], number: int) -> None:
    (out / str(number)).mkdir()
    for name in folders:
        (out / str(number) / name).mkdir()
    for name, content in files:
        descriptor = os.open(f"{out}/{number}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, content)
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())

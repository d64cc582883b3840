"""Runs inside a Debian root, by its own Python: what its cloud-init makes of user-data. JSON in, JSON out."""

import contextlib
import io
import json
import logging
import stat
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudinit.config
from cloudinit import handlers, helpers, util
from cloudinit.cmd.main import main
from cloudinit.config.cc_write_files import canonicalize_extraction, extract_contents
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.sources.DataSourceNone import DataSourceNone

_HERE = Path(__file__).parent
_SEED = Path("/var/lib/cloud/seed/nocloud")
_CONFIG = Path("/etc/cloud/cloud.cfg.d/99-probe.cfg")
# Of the modules, those that write what a spec says; none that looks for disks or networks.
_MODULES = ("write_files", "ca_certs", "users_groups")


def schema(documents: dict[str, str]) -> dict[str, list[Any]]:
    """Ask `cloud-init schema` about each document, in one process: its exit code and its words."""
    answers = {}
    for name, text in documents.items():
        path = Path(tempfile.mkdtemp()) / "user-data"
        path.write_text(text)
        said, code = io.StringIO(), 0
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                main(["cloud-init", "schema", "--config-file", str(path)])
            except SystemExit as end:
                code = 1 if isinstance(end.code, str) else end.code or 0
                said.write(end.code if isinstance(end.code, str) else "")
        answers[name] = [code, said.getvalue()]
    return answers


def keys(_: None) -> list[str]:
    """Give every top-level key that this version's own schema knows."""
    path = next(Path(next(iter(cloudinit.config.__path__))).glob("schemas/schema-cloud-config*.json"))
    definitions = json.loads(path.read_text())["$defs"]
    return sorted({key for entry in definitions.values() for key in entry.get("properties", {})})


def parse(payloads: dict[str, str]) -> dict[str, Any]:
    """Give the cloud-config that cloud-init reads out of each payload of a data source, its files unpacked.

    Payloads come, and the files' contents go, in base64.
    """
    return {name: _unpacked(_parsed(b64decode(payload))) for name, payload in payloads.items()}


def _unpacked(config: Any) -> Any:
    for entry in (config or {}).get("write_files", ()):
        content = extract_contents(entry["content"], canonicalize_extraction(entry.pop("encoding", None)))
        entry["content"] = b64encode(content.encode() if isinstance(content, str) else content).decode()
    return config


def _parsed(payload: bytes, *, unhandled: bool = False) -> Any:
    folder = tempfile.mkdtemp()
    paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
    source = DataSourceNone({}, None, paths)
    source.metadata = {"instance-id": "probe"}
    source.userdata_raw = payload
    paths.datasource = source
    handler = CloudConfigPartHandler(paths)
    handler.handle_part(None, handlers.CONTENT_START, None, None, None, None)

    def take(_: None, filename: str, part: str, headers: dict[str, str]) -> None:
        if headers["Content-Type"] in handler.list_types():
            handler.handle_part(None, headers["Content-Type"], filename, part, None, headers)
        elif unhandled:
            handlers.walker_callback({"excluded": (), "handlers": {}}, filename, part, headers)

    handlers.walk(source.get_userdata(), take, None)
    handler.handle_part(None, handlers.CONTENT_END, None, None, None, None)
    written = Path(paths.get_ipath("cloud_config"))
    return util.load_yaml(written.read_text()) if written.exists() else None


def complaints(payloads: dict[str, str]) -> dict[str, list[str]]:
    """Give the warnings of cloud-init on each payload of a data source (base64), as a console has them."""
    return {name: _complaints(b64decode(payload)) for name, payload in payloads.items()}


def _complaints(payload: bytes) -> list[str]:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(asctime)s - %(filename)s[%(levelname)s]: %(message)s"))
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger()
    logger.addHandler(handler)
    try:
        _parsed(payload, unhandled=True)
    finally:
        logger.removeHandler(handler)
    return said.getvalue().splitlines()


def boot(request: dict[str, Any]) -> dict[str, Any]:
    """Run `cloud-init init` on user-data, and give its warnings and the wanted files: mode, owner, content (base64)."""
    _SEED.mkdir(parents=True)
    (_SEED / "user-data").write_bytes(b64decode(request["userData"]))
    (_SEED / "meta-data").write_text("instance-id: probe\n")
    (_SEED / "network-config").touch()
    modules = ", ".join(_MODULES)
    _CONFIG.write_text(
        f"datasource_list: [ NoCloud ]\nnetwork: {{config: disabled}}\ncloud_init_modules: [{modules}]\n"
    )
    result = subprocess.run(["cloud-init", "init"], capture_output=True, text=True, check=False)
    log = Path("/var/log/cloud-init.log").read_text(errors="replace")
    return {
        "code": result.returncode,
        "warnings": [line for line in log.splitlines() if "[WARNING]" in line or "[ERROR]" in line],
        "files": {path: _file(Path(path)) for path in request["files"] if Path(path).exists()},
    }


def _file(path: Path) -> list[str]:
    return [oct(stat.S_IMODE(path.stat().st_mode)), path.owner(), b64encode(path.read_bytes()).decode()]


if __name__ == "__main__":
    asked = json.loads((_HERE / "request.json").read_text())
    questions: dict[str, Callable[[Any], Any]] = {"schema": schema, "keys": keys, "parse": parse}
    questions |= {"complaints": complaints, "boot": boot}
    answer = questions[sys.argv[1]](asked)
    (_HERE / "answer.json").write_text(json.dumps(answer))

"""Pin the kubeadm of a minor as a Go module of its own: go.mod and go.sum as its release has them."""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from tools import toolbox

_MODULE = "k8s.io/kubernetes"
_IMPORTS = f"""\
//go:build tools

// Package tools pins the command that is built from this module.
package tools

import (
\t_ "{_MODULE}/cmd/kubeadm"
)
"""


def pin(component: toolbox.Component) -> None:
    """Write the module of a component anew."""
    component.folder.mkdir(parents=True, exist_ok=True)
    (component.folder / "go.sum").unlink(missing_ok=True)
    (component.folder / "go.mod").write_text(_module(component))
    (component.folder / "tools.go").write_text(_IMPORTS)
    subprocess.run(["go", "mod", "tidy"], cwd=component.folder, check=True)


def _module(component: toolbox.Component) -> str:
    release = _described("go", "mod", "download", "-json", f"{_MODULE}@v{component.version}")
    described = _described("go", "mod", "edit", "-json", release["GoMod"])
    staged = [entry["Old"]["Path"] for entry in described["Replace"] if entry["New"]["Path"].startswith("./staging/")]
    staging = f"v0.{component.version.partition('.')[2]}"
    lines = [
        f"module imagegen.local/tools/{component.name}",
        f"go {described['Go']}",
        *(f"godebug {entry['Key']}={entry['Value']}" for entry in described.get("Godebug", [])),
        f"require {_MODULE} v{component.version}",
        "replace (",
        *(f"\t{path} => {path} {staging}" for path in staged),
        ")",
    ]
    return "".join(f"{line}\n" for line in lines)


def _described(*command: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return described


def main() -> None:
    """Pin the named minors, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minor", nargs="*", help="such as 1.34")
    minors = parser.parse_args().minor
    for component in toolbox.kubeadms():
        if not minors or Path(component.name).name in minors:
            pin(component)


if __name__ == "__main__":
    main()

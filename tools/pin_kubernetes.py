"""Pin a Kubernetes release, or its kubeadm alone, as a Go module: go.mod and go.sum are the release's."""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from tools import toolbox

_MODULE = "k8s.io/kubernetes"
_HEAD = """\
//go:build tools

// Package tools pins the commands that are built from this module.
package tools

"""


def pin(component: toolbox.Component) -> None:
    """Write the module of a component anew."""
    component.folder.mkdir(parents=True, exist_ok=True)
    (component.folder / "go.sum").unlink(missing_ok=True)
    (component.folder / "go.mod").write_text(_module(component))
    (component.folder / "tools.go").write_text(_HEAD + _imports(component))
    subprocess.run(["go", "mod", "tidy"], cwd=component.folder, check=True)


def _imports(component: toolbox.Component) -> str:
    packages = sorted(component.binaries.values())
    return "".join(["import (\n", *(f'\t_ "{package}"\n' for package in packages), ")\n"])


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
    """Pin what is named, or the kubeadm of every minor."""
    parser = argparse.ArgumentParser(description=__doc__)
    kubeadms = {Path(component.name).name: component for component in toolbox.kubeadms()}
    others = (*toolbox.components("uml"), *toolbox.components("full"))
    known = kubeadms | {component.name: component for component in others}
    parser.add_argument(
        "module", nargs="*", default=[*kubeadms], help="a kubeadm's minor, such as 1.34, or kubernetes-1.34"
    )
    for name in parser.parse_args().module:
        pin(known[name])


if __name__ == "__main__":
    main()

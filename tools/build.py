"""Build what the cache has not: that of `make tools`, what one cluster test needs besides, or every minor's kubeadm."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import roots, sites, toolbox, uml_kernel

_UML, _FULL = "uml", "full"


def main() -> int:
    """Build what is missing, a line per component and root."""
    ours = (*toolbox.components(), *toolbox.components(_UML), *toolbox.components(_FULL), *toolbox.kubeadms())
    known = {component.name: component for component in ours}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("component", nargs="*", choices=[[], *known], help="only these")
    parser.add_argument("--kubeadms", action="store_true", help="the kubeadm of every minor, in place of the rest")
    parser.add_argument("--only-for", choices=[_UML, _FULL], help="what the cluster test needs besides")
    arguments = parser.parse_args()
    if arguments.component:
        wanted = [_component(known[name]) for name in arguments.component]
    elif arguments.kubeadms:
        wanted = [_component(component) for component in toolbox.kubeadms()]
    elif arguments.only_for:
        kernel = [_kernel()] if arguments.only_for == _UML else []
        wanted = [*kernel, *map(_component, toolbox.components(arguments.only_for))]
    else:
        wanted = [*map(_component, toolbox.components()), *_in_pairs(_root, roots.SUITES)]
    return 0 if all(wanted) else 1


def _in_pairs(build: Callable[[str], bool], names: tuple[str, ...]) -> list[bool]:
    """A root is made by one processor; the module's builds keep all of them busy by themselves."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(build, names))


def _component(component: toolbox.Component) -> bool:
    there = toolbox.is_built(component)
    return _built(f"{component.name} {component.version}", lambda: toolbox.build(component), there=there)


def _kernel() -> bool:
    return _built("a kernel of user-mode Linux", uml_kernel.build, there=uml_kernel.is_built())


def _root(suite: str) -> bool:
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        print(f"root of {suite}: left out, for it needs root's rights and mmdebstrap", flush=True)
        return True
    return _built(f"root of {suite}", lambda: _root_with_packages(suite), there=sites.is_made(suite))


def _root_with_packages(suite: str) -> Path:
    roots.root(suite)
    return sites.site(suite)


def _built(name: str, build: Callable[[], Path], *, there: bool) -> bool:
    before = time.monotonic()
    word = "there" if there else "built"
    try:
        build()
    except (subprocess.CalledProcessError, FileNotFoundError, ValueError) as error:
        print(f"{name}: FAILED: {error}", flush=True)
        return False
    print(f"{name}: {word}, {time.monotonic() - before:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())

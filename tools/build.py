"""Build the components that the cache has not: `make tools`."""

import argparse
import subprocess
import sys
import time

from tools import toolbox


def main() -> int:
    """Build what is missing, a line per component."""
    names = [component.name for component in toolbox.components()]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("component", nargs="*", choices=[[], *names], help="only these")
    wanted = parser.parse_args().component or names
    failed = [component for component in toolbox.components() if component.name in wanted and not _built(component)]
    return 1 if failed else 0


def _built(component: toolbox.Component) -> bool:
    before = time.monotonic()
    word = "there" if toolbox.is_built(component) else "built"
    try:
        toolbox.build(component)
    except subprocess.CalledProcessError:
        word = "FAILED"
    print(f"{component.name} {component.version}: {word}, {time.monotonic() - before:.0f} s", flush=True)
    return word != "FAILED"


if __name__ == "__main__":
    sys.exit(main())

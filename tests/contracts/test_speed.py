"""What `--help` must not wait for."""

from __future__ import annotations

import subprocess
import sys


def test_the_command_line_imports_nothing_slow() -> None:
    slow = {"cryptography", "jinja2", "jsonschema", "yaml", "rich", "hcl2", "pyrage"}
    program = f"import sys, imagegen.cli; print(*({slow!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []

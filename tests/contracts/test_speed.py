"""What `--help` must not wait for."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = {"cryptography", "jinja2", "jsonschema", "yaml", "rich", "hcl2", "pyrage", "imagegen.spec"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_nothing_slow_is_imported(option: str) -> None:
    program = f"""
import sys
sys.argv = ["imagegen", {option!r}]
from imagegen.__main__ import main
try:
    main()
except SystemExit:
    print(*({SLOW!r} & set(sys.modules)), file=sys.stderr)
"""
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout
    assert result.stderr.split() == []

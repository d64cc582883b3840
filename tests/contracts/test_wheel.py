"""`pip install .` into an empty environment gives a program that works from any folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_it_carries_every_asset(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if "__pycache__" not in name}
    for folder in ("packer", "schemas", "templates"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"imagegen/_assets/{path.relative_to(ROOT).as_posix()}" in names
    assert "imagegen/catalog/kubernetes.toml" in names


@pytest.mark.timeout(300)
def test_it_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python, program = environment / "bin" / "python", environment / "bin" / "imagegen"
    constraints = tmp_path / "constraints.txt"
    pins = (f"{found.name}=={found.version}\n" for found in distributions() if found.name != "imagegen")
    constraints.write_text("".join(pins))
    install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (tmp_path / "cluster.yaml").write_text((ROOT / "examples" / "quickstart.yaml").read_text())
    new = [str(program), "secrets", "new", "cluster.yaml", "--recipient", "age1none"]
    without_the_extra = subprocess.run(new, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert without_the_extra.returncode == 1
    assert "pip install 'imagegen[age]'" in without_the_extra.stderr
    ask = [str(program), "lock", "cluster.yaml"]
    without_the_extra = subprocess.run(ask, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert without_the_extra.returncode == 1
    assert "pip install 'imagegen[lock]'" in without_the_extra.stderr
    for arguments in (["validate"], ["secrets", "new"], ["render"], ["kubeconfig"]):
        subprocess.run([str(program), *arguments, "cluster.yaml"], check=True, capture_output=True, cwd=tmp_path)
    assert (tmp_path / "out" / "quickstart" / "user-data" / "worker-workers.yaml").exists()
    assert list((tmp_path / "out" / "quickstart" / "images" / "quickstart" / "packer").glob("*.pkr.hcl"))
    assert (tmp_path / "quickstart.kubeconfig").stat().st_mode & 0o777 == 0o600

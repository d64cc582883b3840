"""A spec, and all that imagegen's own commands make of it."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from imagegen.lab.process import run
from imagegen.secrets.keys import new_authority
from imagegen.spec import EncryptionAlgorithm

TEMPLATE = Path(__file__).parent / "lab.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A folder with a spec, its secrets and what was rendered from them."""

    spec: Path
    name: str

    @property
    def rendered(self) -> Path:
        return self.spec.parent / "out" / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.spec.parent / "kubeconfig"

    def seed(self, node: str) -> Path:
        return self.rendered / "nocloud" / node

    def render(self) -> None:
        """Secrets, output folder and kubeconfig: by the command line, as a user would."""
        self._imagegen("secrets", "new")
        self._imagegen("render", "--out", str(self.rendered.parent))
        self._imagegen("kubeconfig", "--out", str(self.kubeconfig))

    def rotate(self, pool: str) -> Path:
        """Give a pool a new token; the Secret that tells the cluster."""
        self._imagegen("token", "rotate", "--pool", pool, "--out", str(self.rendered.parent))
        return self.rendered / "tokens" / f"{pool}.yaml"

    def _imagegen(self, *arguments: str) -> None:
        # The bake renders once more, and finds these secrets.
        secrets = self.spec.with_name("secrets.yaml")
        run(sys.executable, "-m", "imagegen", *arguments, str(self.spec), f"--secrets={secrets}")


def make(folder: Path, image: dict[str, object]) -> Site:
    """The lab's spec with the image that is under test."""
    document = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    document["image"] = image
    authority = new_authority("lab of the day", EncryptionAlgorithm.ECDSA_P256, datetime.now(UTC))
    document["trustedCAs"] = [authority.certificate]
    spec = folder / "lab.yaml"
    spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return Site(spec=spec, name=document["metadata"]["name"])

"""A spec, and all that imagegen's own commands make of it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from imagegen.lab.process import run
from imagegen.secrets.keys import new_authority
from imagegen.spec import EncryptionAlgorithm

_SECRET = {"secrets", "render", "kubeconfig", "token", "runbook"}
TEMPLATE = Path(__file__).parent / "lab.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A folder with a spec, its secrets and what was rendered from them."""

    spec: Path
    name: str
    image: dict[str, object]

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
        self.call("secrets", "new")
        self.call("render", "--out", str(self.rendered.parent))
        self.call("kubeconfig", "--out", str(self.kubeconfig))

    def rotate(self, pool: str) -> Path:
        """Give a pool a new token; the Secret that tells the cluster."""
        self.call("token", "rotate", "--pool", pool, "--out", str(self.rendered.parent))
        return self.rendered / "tokens" / f"{pool}.yaml"

    def call(self, command: str, *arguments: str) -> None:
        """Run one of imagegen's commands on the spec; `_SECRET` ones with the bundle of secrets."""
        # The bake renders once more, and finds these secrets.
        secrets = [f"--secrets={self.spec.with_name('secrets.yaml')}"] if command in _SECRET else []
        run(sys.executable, "-m", "imagegen", command, *arguments, str(self.spec), *secrets, timeout=300)


def make(
    folder: Path,
    image: dict[str, object],
    *,
    template: Path = TEMPLATE,
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda document: document,
) -> Site:
    """The lab's spec, or another, with the image that is under test, and what else `change` makes of it."""
    document = change(yaml.safe_load(template.read_text(encoding="utf-8")))
    document["image"] = image
    authority = new_authority("lab of the day", EncryptionAlgorithm.ECDSA_P256, datetime.now(UTC))
    document["trustedCAs"] = [authority.certificate]
    spec = folder / "lab.yaml"
    spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return Site(spec=spec, name=document["metadata"]["name"], image=image)

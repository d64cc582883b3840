"""The real components that machine tests run: how each is built, and where it lies once built."""

import functools
import json
import os
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools import cache

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A pinned module and the binaries made from it."""

    name: str
    version: str
    binaries: dict[str, str]
    values: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    only_for: str = ""
    """Of the cluster test's ways of running the one that alone needs it; none: it is there for everything."""

    @property
    def folder(self) -> Path:
        return _HERE / self.name

    @property
    def linker_flags(self) -> str:
        major, minor, *_ = self.version.split(".")
        values = (value.format(version=self.version, major=major, minor=minor) for value in self.values)
        return " ".join(["-s", "-w", *(f"-X {value}" for value in values), *self.ldflags])


def components(only_for: str = "") -> tuple[Component, ...]:
    """Give the components that everything is made of, or those that one cluster test needs besides."""
    return tuple(component for component in _all_components() if component.only_for == only_for)


@functools.cache
def _all_components() -> tuple[Component, ...]:
    recipes = tomllib.loads((_HERE / "tools.toml").read_text())
    return tuple(Component(name=name, **_frozen(recipe)) for name, recipe in recipes.items())


@functools.cache
def kubeadms() -> tuple[Component, ...]:
    """Give the kubeadm of every minor that no other component brings."""
    kubernetes = next(component for component in components() if "kubeadm" in component.binaries)
    versions: dict[str, str] = tomllib.loads((_HERE / "kubeadm" / "versions.toml").read_text())
    return tuple(
        Component(
            name=f"kubeadm/{minor}",
            version=version,
            values=kubernetes.values,
            binaries={f"kubeadm-{minor}": kubernetes.binaries["kubeadm"]},
        )
        for minor, version in versions.items()
    )


def component_of(binary: str) -> Component:
    """Give the component that a binary belongs to."""
    return next(component for component in (*_all_components(), *kubeadms()) if binary in component.binaries)


def is_built(component: Component) -> bool:
    """Tell whether the cache has this component."""
    return cache.find(_shelf(component), _key(component)) is not None


def build(component: Component) -> Path:
    """Give the folder of a component's binaries, built first where the cache has it not."""
    return cache.made(_shelf(component), _key(component), functools.partial(_build, component))


def path(binary: str) -> Path:
    """Give a binary, built first where the cache has it not."""
    return build(component_of(binary)) / binary


def _frozen(recipe: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in recipe.items()}


def _shelf(component: Component) -> str:
    return f"binaries/{component.name}"


@functools.cache
def _compiler(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _key(component: Component) -> str:
    version = _compiler("go", "env", "GOVERSION") if _is_go(component) else _compiler("cc", "--version")
    sources = [file.read_bytes() for file in sorted(component.folder.iterdir())]
    recipe = {name: value for name, value in asdict(component).items() if name != "only_for"}
    return cache.key(json.dumps(recipe, sort_keys=True), version, *sources)


def _is_go(component: Component) -> bool:
    return (component.folder / "go.mod").exists()


def _build(component: Component, folder: Path) -> None:
    for binary, source in component.binaries.items():
        target = folder / binary
        command = _go_build(component, source, target) if _is_go(component) else _c_build(source, target)
        environment = os.environ | {"CGO_ENABLED": str(int(component.cgo)), "GOFLAGS": "-mod=readonly"}
        subprocess.run(command, cwd=component.folder, env=environment, check=True)


def _go_build(component: Component, package: str, target: Path) -> list[str]:
    tags = [f"-tags={','.join(component.tags)}"] if component.tags else []
    return ["go", "build", "-trimpath", *tags, "-ldflags", component.linker_flags, "-o", str(target), package]


def _c_build(source: str, target: Path) -> list[str]:
    return ["cc", "-Os", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", str(target), source]

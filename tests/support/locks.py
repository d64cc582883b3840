"""Locks that fit a spec without anybody having been asked, and their bundles."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from imagegen.cli.common import load_assets, read_spec_alone
from imagegen.lock import FileKind, Lock, LockedFile, LockedImage, Provision, Source, bundle_index
from imagegen.planner import plan_images
from imagegen.supply.beside import want_for
from imagegen.supply.oci import archive_name
from imagegen.supply.reading import write_lock
from imagegen.supply.wanted import Wanted


def lock_beside(spec: Path, bundle: Path | None = None) -> Lock:
    """Write the lock of the spec's one image; every file's content is its path, and `bundle` has them all."""
    loaded = load_assets()
    cluster = read_spec_alone(spec, loaded)
    (plan,) = plan_images(cluster, loaded.catalog)
    wanted = want_for(cluster, plan, loaded.catalog)
    assert wanted is not None
    lock = Lock(
        name=plan.name,
        os=plan.os,
        kubernetes=plan.kubernetes_version,
        source=Source(plan.supply.source),
        architectures={plan.architecture: _provision(wanted)},
    )
    spec.with_name(f"{plan.name}.lock.yaml").write_text(write_lock(lock))
    if bundle is not None:
        _fill(bundle, lock, plan.architecture)
    return lock


def _provision(wanted: Wanted) -> Provision:
    files = [_file(file.kind, file.name, file.version, file.path) for file in wanted.files]
    files += [_file(FileKind.PACKAGE, name, "1.0-1", f"packages/{name}.deb") for name in wanted.packages]
    return Provision(
        files=tuple(sorted(files, key=lambda file: file.path)),
        images=tuple(sorted((_image(name) for name in wanted.images), key=lambda image: image.path)),
    )


def _file(kind: FileKind, name: str, version: str, path: str) -> LockedFile:
    content = path.encode()
    return LockedFile(
        path=path,
        kind=kind,
        name=name,
        version=version,
        url=f"https://vendor.example/{path}",
        sha256=sha256(content).hexdigest(),
        size=len(content),
    )


def _image(name: str) -> LockedImage:
    path = f"images/{archive_name(name)}"
    digest = sha256(path.encode()).hexdigest()
    return LockedImage(name=name, digest=f"sha256:{digest}", path=path, sha256=digest, size=len(path))


def _fill(folder: Path, lock: Lock, architecture: str) -> None:
    provision = lock.provision(architecture)
    for path in [file.path for file in provision.files] + [image.path for image in provision.images]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    (folder / "bundle.json").write_text(bundle_index(lock, architecture))

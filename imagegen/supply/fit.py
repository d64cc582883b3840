"""Whether a lock is still what the spec asks for."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.diagnostics import Diagnostic, Path
from imagegen.lock import BaseDisk, Lock, bundle_digest
from imagegen.plan import ImagePlan
from imagegen.spec import Image
from imagegen.supply.wanted import Wanted

_HINT = "run `imagegen lock` again"


def check_lock(lock: Lock, plan: ImagePlan, image: Image, wanted: Wanted | None) -> Iterator[Diagnostic]:
    """What the lock does not have as the spec asks for it (codes IG290 to IG292, IG294, IG295)."""
    outdated = tuple(_headings(lock, plan))
    yield from outdated
    provision = lock.architectures.get(plan.architecture)
    if provision is None:
        message = f"image `{lock.name}` is for {plan.architecture}, which is not locked"
        yield Diagnostic(code="IG291", message=message, hint=_HINT, path=("architectures",), on_key=True)
        return
    if not outdated and wanted is not None:
        yield from _missing(lock, plan, wanted)
    yield from _other_base(provision.base, plan, image)


def check_pinned_bundle(lock: Lock, image: Image) -> Iterator[Diagnostic]:
    """A bundle that the spec pins, and that is not the lock's (IG294); its path is within the image."""
    made = bundle_digest(lock, image.architecture)
    pinned = image.bundle.sha256 if image.bundle else None
    if pinned not in (None, made) and image.architecture in lock.architectures:
        message = f"this is not the bundle of {lock.name}.lock.yaml, whose bundle.json has {made[:12]}…"
        hint = "leave it out: the lock pins the bundle"
        yield Diagnostic(code="IG294", message=message, hint=hint, path=("bundle", "sha256"))


def _headings(lock: Lock, plan: ImagePlan) -> Iterator[Diagnostic]:
    wanted: tuple[tuple[str, Path, str, str], ...] = (
        ("the image", ("metadata", "name"), lock.name, plan.name),
        ("the system", ("os",), lock.os, plan.os),
        ("Kubernetes", ("kubernetes",), lock.kubernetes, plan.kubernetes_version),
        ("the source", ("source",), lock.source, plan.supply.source),
    )
    for what, path, locked, asked in wanted:
        if locked != asked:
            message = f"{what} is {asked} in the spec, and {locked} is locked"
            yield Diagnostic(code="IG290", message=message, hint=_HINT, path=path)


def _missing(lock: Lock, plan: ImagePlan, wanted: Wanted) -> Iterator[Diagnostic]:
    provision = lock.provision(plan.architecture)
    locked = {(file.path.partition("/")[0], file.name) for file in provision.files}
    names = {image.name for image in provision.images}
    missing = [file.name for file in wanted.files if (file.path.partition("/")[0], file.name) not in locked]
    missing += [name for name in wanted.packages if ("packages", name) not in locked]
    missing += [name for name in wanted.images if name not in names]
    if missing:
        message = f"not locked: {', '.join(missing)}"
        place: Path = ("architectures", plan.architecture)
        yield Diagnostic(code="IG292", message=message, hint=_HINT, path=place, on_key=True)


def _other_base(base: BaseDisk | None, plan: ImagePlan, image: Image) -> Iterator[Diagnostic]:
    if base is None:
        return
    source, checksum = image.qemu.source or base.url, image.qemu.checksum or ""
    if source != base.url:
        key, said = "url", f"is {source}"
    elif checksum.startswith("sha256:") and checksum != f"sha256:{base.sha256}":
        key, said = "sha256", f"has {checksum}"
    else:
        return
    message = f"the base disk {said} in the spec, and another is locked"
    place: Path = ("architectures", plan.architecture, "base", key)
    yield Diagnostic(code="IG295", message=message, hint=_HINT, path=place)

"""An image's inventory becomes its software bill of materials, in CycloneDX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from imagegen.inventory import Binary, ContainerImage, Inventory, Package

_SERIALS = UUID("073a7df6-fd0e-4494-8e81-37d42bd6c1ca")


def bill_of_materials(inventory: Inventory, programs: Mapping[str, str], version: str) -> str:
    """The document, CycloneDX 1.6 as JSON; the same inventory gives the same bytes.

    `programs`: the Go package of each program that is known. `version`: this program's own.
    """
    image = _image(inventory)
    contents = list(_contents(inventory, programs))
    bom = Bom(
        # Of two bakes with one fingerprint, each has its own document.
        serial_number=uuid5(_SERIALS, f"{inventory.fingerprint} {inventory.baked.isoformat()}"),
        metadata=BomMetaData(component=image, timestamp=inventory.baked, tools=_tools(version)),
        components=contents,
    )
    bom.register_dependency(image, contents)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _tools(version: str) -> ToolRepository:
    own = Component(type=ComponentType.APPLICATION, name="imagegen", version=version, bom_ref="imagegen")
    return ToolRepository(components=[own])


def _image(inventory: Inventory) -> Component:
    said = {
        "fingerprint": inventory.fingerprint,
        "kubernetes": inventory.kubernetes,
        "architecture": inventory.architecture,
        "builder": inventory.builder,
        "kernel": " ".join(inventory.kernels),
    }
    return Component(
        type=ComponentType.OPERATING_SYSTEM,
        name=inventory.image,
        version=f"{inventory.kubernetes}-{inventory.fingerprint[:12]}",
        bom_ref="image",
        properties=[Property(name=f"imagegen:{name}", value=value) for name, value in said.items()],
    )


def _contents(inventory: Inventory, programs: Mapping[str, str]) -> Iterator[Component]:
    yield Component(
        type=ComponentType.OPERATING_SYSTEM,
        name=inventory.system,
        version=inventory.system_version,
        description=inventory.system_name,
        bom_ref="system",
    )
    distribution = f"{inventory.system}-{inventory.system_version}"
    for package in inventory.packages:
        yield _package(package, inventory.system, distribution)
    for binary in inventory.binaries:
        yield _binary(binary, programs.get(binary.name))
    for image in inventory.images:
        yield _container_image(image, inventory.architecture)


def _package(package: Package, vendor: str, distribution: str) -> Component:
    epoch, _, version = package.version.rpartition(":") if package.kind == "rpm" else ("", "", package.version)
    # `upstream` is how scanners find the source package, which advisories name.
    qualifiers = {
        "arch": package.architecture,
        "distro": distribution,
        "epoch": epoch,
        "upstream": _upstream(package),
    }
    purl = PackageURL(
        package.kind, vendor, package.name, version, {key: said for key, said in qualifiers.items() if said}
    )
    return Component(
        type=ComponentType.LIBRARY, name=package.name, version=package.version, purl=purl, bom_ref=purl.to_string()
    )


def _upstream(package: Package) -> str:
    if (package.source, package.source_version) == (package.name, package.version):
        return ""
    return f"{package.source}@{package.source_version}" if package.source_version else package.source


def _binary(binary: Binary, module: str | None) -> Component:
    return Component(
        type=ComponentType.APPLICATION,
        name=binary.name,
        version=binary.version or None,
        purl=_purl(binary, module),
        bom_ref=f"file:{binary.path}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=binary.sha256)],
        properties=[Property(name="imagegen:path", value=binary.path)],
    )


def _purl(binary: Binary, module: str | None) -> PackageURL:
    if module is None:
        qualifiers = {"checksum": f"sha256:{binary.sha256}"}
        return PackageURL("generic", None, binary.name, binary.version or None, qualifiers)
    path, _, package = module.partition("#")
    namespace, _, name = path.rpartition("/")
    return PackageURL("golang", namespace, name, f"v{binary.version}" if binary.version else None, None, package)


def _container_image(image: ContainerImage, architecture: str) -> Component:
    repository, tag = _repository_and_tag(image.reference)
    qualifiers = {"arch": architecture, "repository_url": repository} | ({"tag": tag} if tag else {})
    purl = PackageURL("oci", None, repository.rpartition("/")[2].lower(), image.digest, qualifiers)
    return Component(
        type=ComponentType.CONTAINER,
        name=repository,
        version=tag or image.digest,
        purl=purl,
        bom_ref=f"image:{image.reference}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=image.digest.removeprefix("sha256:"))],
    )


def _repository_and_tag(reference: str) -> tuple[str, str]:
    tagged = reference.partition("@")[0]
    # A colon before the last slash is a registry's port.
    start, slash, last = tagged.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{start}{slash}{name}", tag

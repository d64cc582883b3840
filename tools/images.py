"""Container images from the toolbox's binaries and Debian's packages, without a registry."""

import functools
import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools import cache, toolbox, userland
from tools.releases import NEWEST, Release

_SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SERVE = """\
#!/bin/sh
set -e
mkdir -p /www
hostname > /www/index.html
exec httpd -f -p 8080 -h /www
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of one layer: static binaries, and a userland where they need one."""

    reference: str
    entrypoint: str
    binaries: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    network_tools: bool = False
    commands: bool = False

    @property
    def file_name(self) -> str:
        return self.reference.rpartition("/")[2].replace(":", "-") + ".tar"


@functools.cache
def images(release: Release = NEWEST) -> tuple[Image, ...]:
    """Give every image of a release's cluster, named as its kubeadm and flannel's manifest name them."""
    return (
        *_control_plane_images(release),
        _single("registry.k8s.io/coredns/coredns", release.coredns, "/coredns", "coredns"),
        _etcd(release),
        _single("registry.k8s.io/pause", release.pause, "/pause", "pause"),
        *_node_images(release),
        Image(reference="imagegen.test/web:1", entrypoint="/serve.sh", scripts={"/serve.sh": _SERVE}, commands=True),
    )


def archive(image: Image, suite: str) -> Path:
    """Give the docker archive of an image, written first where the cache has it not."""
    built = [toolbox.path(binary).parent.name for binary in image.binaries.values()]
    own = [Path(__file__).read_bytes(), Path(userland.__file__).read_bytes()]
    key = cache.key(json.dumps(asdict(image), sort_keys=True), suite, *built, *own)
    shelf = f"images/{image.file_name.removesuffix('.tar')}"
    return cache.made(shelf, key, functools.partial(_write, image, suite)) / image.file_name


def _control_plane_images(release: Release) -> Iterator[Image]:
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        yield _single(f"registry.k8s.io/{name}", f"v{release.version}", f"/usr/local/bin/{name}", release.binary(name))


def _node_images(release: Release) -> Iterator[Image]:
    yield Image(
        reference=f"registry.k8s.io/kube-proxy:v{release.version}",
        entrypoint="/usr/local/bin/kube-proxy",
        binaries={"/usr/local/bin/kube-proxy": release.binary("kube-proxy")},
        network_tools=True,
        commands=True,
    )
    yield Image(
        reference=f"ghcr.io/flannel-io/flannel:{_version('flanneld')}",
        entrypoint="/opt/bin/flanneld",
        binaries={"/opt/bin/flanneld": "flanneld"},
        network_tools=True,
        commands=True,
    )
    yield Image(
        reference="ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3",
        entrypoint="/flannel",
        binaries={"/flannel": "flannel"},
        commands=True,
    )


def _single(repository: str, tag: str, target: str, binary: str) -> Image:
    return Image(reference=f"{repository}:{tag}", entrypoint=target, binaries={target: binary})


def _etcd(release: Release) -> Image:
    """As upstream's, with etcdctl beside it, which people run in the pod, and etcdutl."""
    programs = {f"/usr/local/bin/{name}": name for name in ("etcd", "etcdctl", "etcdutl")}
    return Image(reference=f"registry.k8s.io/etcd:{release.etcd}", entrypoint="/usr/local/bin/etcd", binaries=programs)


def _version(binary: str) -> str:
    return f"v{toolbox.component_of(binary).version}"


def _write(image: Image, suite: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _assemble(image, suite, Path(scratch))
        layer = _layer(Path(scratch))
    (folder / image.file_name).write_bytes(_docker_archive(image, layer))


def _assemble(image: Image, suite: str, tree: Path) -> None:
    for name in ("bin", "etc", "tmp", "usr/sbin"):
        (tree / name).mkdir(parents=True)
    (tree / "tmp").chmod(0o1777)
    (tree / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    for target, binary in image.binaries.items():
        userland.install(toolbox.path(binary), tree / target.lstrip("/"))
    for target, script in image.scripts.items():
        (tree / target.lstrip("/")).write_text(script)
        (tree / target.lstrip("/")).chmod(0o755)
    if image.network_tools:
        userland.add_network_tools(tree, suite)
    if image.commands:
        userland.add_commands(tree, suite)


def _layer(tree: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as layer:
        for path in sorted(tree.rglob("*")):
            layer.add(path, arcname=str(path.relative_to(tree)), recursive=False, filter=_anonymous)
    return buffer.getvalue()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.isdir() and not member.mode & 0o1000:
        member.mode = 0o755
    return member


def _docker_archive(image: Image, layer: bytes) -> bytes:
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Env": [_SEARCH_PATH], "Entrypoint": [image.entrypoint]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "imagegen tools"}],
    }
    described = json.dumps(config, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(described).hexdigest()}.json"
    # As in registries; a third of the bytes is also a third of the work of importing them.
    packed = gzip.compress(layer, compresslevel=6, mtime=0)
    # containerd goes on with what an interrupted import has left under a layer's name, whatever archive it came from.
    layer_name = f"{hashlib.sha256(packed).hexdigest()}.tar.gz"
    manifest = [{"Config": config_name, "RepoTags": [image.reference], "Layers": [layer_name]}]
    members = {
        config_name: described,
        layer_name: packed,
        "manifest.json": json.dumps(manifest, sort_keys=True).encode(),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive_file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive_file.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

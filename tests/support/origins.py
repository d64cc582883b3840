"""All vendors of an image on one loopback server, laid out as they lay theirs out: `/<host>/<path>`."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from pathlib import Path

from tests.support.server import Site

KUBERNETES = "1.37.2"
HOSTS = (
    "dl.k8s.io",
    "github.com",
    "ftp.debian.org",
    "security.debian.org",
    "cloud.debian.org",
    "pkgs.k8s.io",
    "download.docker.com",
    "registry.k8s.io",
    "ghcr.io",
    "quay.io",
    "raw.githubusercontent.com",
    "cloud-images.ubuntu.com",
    "dl.rockylinux.org",
    "repo.almalinux.org",
)
# Ubuntu's archive is asked by plain HTTP.
PLAIN = ("archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com")
BUILDS = ("20260901-2222", "20261110-2293")
# Every Debian has these; what else the packages need comes from the archive.
_BASE = ("dpkg", "libc6")
_NEEDS = {
    "dpkg": "libc6 (>= 2.36)",
    "chrony": "libc6 (>= 2.36), libcap2 (>= 1:2.10), iproute2 | missing-one",
    "conntrack": "libmnl0 (>= 1.0.3)",
    "iproute2": "libmnl0",
    "ipvsadm": "virtual-netlink",
    "libnl-3-200": "",
    "kubelet": "iptables, kubernetes-cni (>= 1.2.0)",
    "containerd.io": "libc6",
}
_WANTED = (
    "chrony",
    "conntrack",
    "ebtables",
    "ethtool",
    "ipset",
    "iptables",
    "ipvsadm",
    "jq",
    "nftables",
    "python3-yaml",
)
_ARCHIVE = (*_WANTED, "runc", "socat", "libcap2", "libmnl0", "libnl-3-200", "iproute2", "kubernetes-cni", *_BASE)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of gpg's, alone in its folder."""

    home: Path

    @property
    def keyring(self) -> Path:
        return self.home / "public.gpg"

    def make(self) -> None:
        """Make the key; once."""
        self.home.chmod(0o700)
        self._gpg("--passphrase", "", "--quick-generate-key", "stub@example.org", "ed25519", "sign", "never")
        self.keyring.write_bytes(self._gpg("--export"))

    def sign(self, text: str) -> bytes:
        """The text with its signature around it."""
        return self._gpg("--clearsign", given=text.encode())

    def sign_apart(self, text: str) -> bytes:
        """The signature alone."""
        return self._gpg("--detach-sign", given=text.encode())

    def _gpg(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout


@dataclass(slots=True)
class Vendors:
    """The site, and what is in it; `packages` by name: version and file."""

    site: Site
    folder: Path
    signer: Signer
    runc: str = "1.1.5+ds1-1+b1"
    packages: dict[str, bytes] = field(default_factory=dict)

    @property
    def mirrors(self) -> list[str]:
        """Options that put this server in the place of all vendors, and its key beside theirs."""
        return ["--keyring", str(self.signer.keyring), *self.only_mirrors]

    @property
    def only_mirrors(self) -> list[str]:
        addresses = [f"https://{host}" for host in HOSTS] + [f"http://{host}" for host in PLAIN]
        return [word for one in addresses for word in ("--mirror", f"{one}={self.site.url}{self.path(one)}")]

    def put(self, address: str, content: bytes) -> None:
        """A file at an address."""
        self.site.files[self.path(address)] = content

    def path(self, address: str) -> str:
        return f"/{address.partition('://')[2]}"

    def fill(self, architecture: str = "amd64") -> None:
        """Everything of an architecture."""
        self._kubernetes(architecture)
        self._github(architecture)
        self.debian(architecture)
        self._cloud_image(architecture)
        for image in image_names():
            self.image(image, architecture)

    def _kubernetes(self, architecture: str) -> None:
        for name in ("kubeadm", "kubectl", "kubelet"):
            url = f"https://dl.k8s.io/release/v{KUBERNETES}/bin/linux/{architecture}/{name}"
            content = f"{name} {KUBERNETES} {architecture}\n".encode() * 1000
            self.put(url, content)
            self.put(f"{url}.sha256", sha256(content).hexdigest().encode())

    def _github(self, architecture: str) -> None:
        names = ("bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr", "bin/containerd-stress")
        name = f"containerd-static-2.3.7-linux-{architecture}.tar.gz"
        url = f"https://github.com/containerd/containerd/releases/download/v2.3.7/{name}"
        content = packed({name: f"{name} {architecture}\n".encode() for name in names})
        self.put(url, content)
        self.put(f"{url}.sha256sum", f"{sha256(content).hexdigest()}  {name}\n".encode())
        url = f"https://github.com/opencontainers/runc/releases/download/v1.4.3/runc.{architecture}"
        content = f"runc {architecture}\n".encode() * 1000
        self.put(url, content)
        sums = f"{url.rpartition('/')[0]}/runc.sha256sum"
        others = self.site.files.get(self.path(sums), b"")
        self.put(sums, others + f"{sha256(content).hexdigest()}  runc.{architecture}\n".encode())
        name = f"cni-plugins-linux-{architecture}-v1.9.1.tgz"
        url = f"https://github.com/containernetworking/plugins/releases/download/v1.9.1/{name}"
        plugins = ("bridge", "host-local", "loopback", "portmap", "vlan")
        content = packed({f"./{plugin}": f"{plugin} {architecture}\n".encode() for plugin in plugins})
        self.put(url, content)
        self.put(f"{url}.sha256", f"{sha256(content).hexdigest()}  {name}\n".encode())

    def debian(self, architecture: str) -> None:
        """Debian's archive, as it is now."""
        top = "https://ftp.debian.org/debian"
        paragraphs = [self._package(top, name, architecture) for name in _ARCHIVE]
        self.index(top, "bookworm", paragraphs, architecture)
        self.index(top, "bookworm-updates", [], architecture)
        security = "https://security.debian.org/debian-security"
        self.index(security, "bookworm-security", [], architecture)

    def package(self, top: str, name: str, architecture: str, version: str) -> str:
        """A package in an archive, and its paragraph for the index."""
        fields = {
            "Package": name,
            "Version": version,
            "Architecture": architecture,
            "Maintainer": "Nobody <n@example.org>",
        }
        if _NEEDS.get(name):
            fields["Depends"] = _NEEDS[name]
        if name == "libnl-3-200":
            fields["Provides"] = "virtual-netlink (= 3)"
        if name == "dpkg":
            fields["Essential"] = "yes"
        fields["Description"] = "a stub"
        content = built(self.folder, fields)
        file = f"pool/main/{name}_{version.partition(':')[2] or version}_{architecture}.deb"
        self.put(f"{top}/{file}", content)
        self.packages[name] = content
        listed = {"Filename": file, "Size": str(len(content)), "SHA256": sha256(content).hexdigest()}
        return "".join(f"{key}: {value}\n" for key, value in (fields | listed).items())

    def _package(self, top: str, name: str, architecture: str) -> str:
        versions = {"runc": self.runc, "libcap2": "1:2.66-4", "libc6": "2.36-9+deb12u13", "libmnl0": "1.0.4-3"}
        return self.package(top, name, architecture, versions.get(name, "1.0-1"))

    def index(self, top: str, suite: str, paragraphs: list[str], architecture: str, component: str = "main") -> None:
        """The lists of an archive, and its signed Release."""
        plain = "\n".join(paragraphs).encode()
        forms = {"": plain, ".gz": gzip.compress(plain, mtime=0), ".xz": lzma.compress(plain)}
        folder = f"{component}/binary-{architecture}/" if suite else ""
        place = f"{top}/dists/{suite}" if suite else top
        known = self.site.files.get(self.path(f"{place}/InRelease"), b"").decode().splitlines(keepends=True)
        rows = [line for line in known if line.startswith(" ") and f" {folder}" not in line]
        for suffix, content in forms.items():
            digest = sha256(content).hexdigest()
            rows.append(f" {digest} {len(content)} {folder}Packages{suffix}\n")
            self.put(f"{place}/{folder}by-hash/SHA256/{digest}", content)
            self.put(f"{place}/{folder}Packages{suffix}", content)
        release = f"Origin: Stub\nSuite: {suite}\nAcquire-By-Hash: yes\nSHA256:\n{''.join(rows)}"
        self.put(f"{place}/InRelease", self.signer.sign(release))

    def ubuntu(self, codename: str, architecture: str) -> None:
        """Ubuntu's archive of a release: half of it in universe, and something newer in its updates."""
        amd64 = architecture == "amd64"
        top = "http://archive.ubuntu.com/ubuntu" if amd64 else "http://ports.ubuntu.com/ubuntu-ports"
        security = "http://security.ubuntu.com/ubuntu" if amd64 else top
        paragraphs = [self._package(top, name, architecture) for name in _ARCHIVE]
        for component, part in (("main", paragraphs[::2]), ("universe", paragraphs[1::2])):
            self.index(top, codename, part, architecture, component)
            for suite in (f"{codename}-updates", f"{codename}-security"):
                self.index(security if suite.endswith("security") else top, suite, [], architecture, component)
        self.index(top, f"{codename}-updates", [self.package(top, "jq", architecture, "1.1-0ubuntu1")], architecture)
        newer = self.package(security, "nftables", architecture, "1.1-0ubuntu2")
        self.index(security, f"{codename}-security", [newer], architecture, "universe")

    def ubuntu_disks(self, release: str, architecture: str) -> list[str]:
        """Ubuntu's cloud images of a release, oldest first; their addresses."""
        top = f"https://cloud-images.ubuntu.com/releases/{release}/"
        builds = ("release-20260901", "release-20261110", "release-20261110.1")
        links = "".join(f'<a href="{build}/">{build}/</a>\n' for build in (*builds, "release"))
        self.put(top, links.encode())
        name = f"ubuntu-{release}-server-cloudimg-{architecture}.img"
        for build in builds:
            content = f"{build} {name}\n".encode() * 500
            self.put(f"{top}{build}/{name}", content)
            sums = f"{top}{build}/SHA256SUMS"
            others = self.site.files.get(self.path(sums), b"")
            self.put(sums, others + f"{sha256(content).hexdigest()} *{name}\n".encode())
        return [f"{top}{build}/{name}" for build in builds]

    def vendors_debs(self, distribution: str, codename: str, architecture: str) -> None:
        """Kubernetes' and Docker's repositories, with another version of each beside the wanted one."""
        top = "https://pkgs.k8s.io/core:/stable:/v1.37/deb"
        versions = (f"{KUBERNETES}-1.1", "1.37.20-1.1")
        names = ("kubeadm", "kubectl", "kubelet")
        packages = [self.package(top, name, architecture, version) for name in names for version in versions]
        self.index(top, "", [*packages, self.package(top, "kubernetes-cni", architecture, "1.9.1-1.1")], architecture)
        top = f"https://download.docker.com/linux/{distribution}"
        versions = (f"2.3.7-1~{codename}", f"2.4.0-1~{codename}")
        packages = [self.package(top, "containerd.io", architecture, version) for version in versions]
        self.index(top, codename, packages, architecture, "stable")

    def _cloud_image(self, architecture: str) -> None:
        top = "https://cloud.debian.org/images/cloud/bookworm/"
        links = "".join(f'<a href="{build}/">{build}/</a>\n' for build in BUILDS)
        self.put(top, f'<a href="../">..</a>\n{links}<a href="latest/">latest/</a>'.encode())
        for build in BUILDS:
            name = f"debian-12-genericcloud-{architecture}-{build}.qcow2"
            content = f"{name}\n".encode() * 500
            self.put(f"{top}{build}/{name}", content)
            sums = f"{top}{build}/SHA512SUMS"
            others = self.site.files.get(self.path(sums), b"")
            self.put(sums, others + f"{sha512(content).hexdigest()}  {name}\n".encode())

    def image(self, reference: str, *architectures: str, layer: bytes = b"") -> dict[str, str]:
        """A container image in its registry, for these architectures; their manifests' digests."""
        path, _, tag = reference.rpartition(":")
        host, _, repository = path.partition("/")
        top = f"https://{host}/v2/{repository}"
        digests = {one: self._manifest(top, f"{reference} {one}", one, layer) for one in architectures}
        entries = [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": len(self.site.files[self.path(f"{top}/manifests/{digest}")]),
                "platform": {"architecture": architecture, "os": "linux"},
            }
            for architecture, digest in digests.items()
        ]
        known = self.site.files.get(self.path(f"{top}/manifests/{tag}"))
        kept = json.loads(known)["manifests"] if known else []
        entries += [entry for entry in kept if entry["platform"]["architecture"] not in digests]
        attestation = {**entries[0], "platform": {"architecture": "unknown", "os": "unknown"}}
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [attestation, *entries],
        }
        self.put(f"{top}/manifests/{tag}", json.dumps(index).encode())
        return digests

    def _manifest(self, top: str, text: str, architecture: str, layer: bytes) -> str:
        inner = layer or packed({"hello": text.encode() * 200}, compressed=False)
        config = json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(inner).hexdigest()}"]},
                "config": {},
            }
        ).encode()
        parts = {"config": config, "layer": gzip.compress(inner, mtime=0)}
        digests = {name: f"sha256:{sha256(content).hexdigest()}" for name, content in parts.items()}
        for name, content in parts.items():
            self.put(f"{top}/blobs/{digests[name]}", content)
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": digests["config"],
                    "size": len(config),
                },
                "layers": [
                    {
                        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                        "digest": digests["layer"],
                        "size": len(parts["layer"]),
                    }
                ],
            }
        ).encode()
        digest = f"sha256:{sha256(manifest).hexdigest()}"
        self.put(f"{top}/manifests/{digest}", manifest)
        return digest


def image_names() -> Iterator[str]:
    """What kubeadm and flannel's manifest name."""
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        yield f"registry.k8s.io/{name}:v{KUBERNETES}"
    yield "registry.k8s.io/coredns/coredns:v1.14.6"
    yield "registry.k8s.io/etcd:3.7.0-0"
    yield "registry.k8s.io/pause:3.10.2"
    yield "ghcr.io/flannel-io/flannel:v0.28.4"
    yield "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3"


def packed(files: Mapping[str, bytes], *, compressed: bool = True) -> bytes:
    """A tar of these files, and gzip around it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0) if compressed else buffer.getvalue()


def built(folder: Path, fields: Mapping[str, str]) -> bytes:
    """A package by the real dpkg-deb."""
    tree = folder / f"{fields['Package']}-{fields['Architecture']}"
    (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
    (tree / "DEBIAN" / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    target = tree.with_suffix(".deb")
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Znone", str(tree), str(target)]
    subprocess.run(command, check=True, capture_output=True, env={"SOURCE_DATE_EPOCH": "0", "PATH": "/usr/bin:/bin"})
    return target.read_bytes()

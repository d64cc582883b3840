"""The Kubernetes releases that machine tests make clusters of."""

from dataclasses import dataclass

from tools import toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """How the toolbox names a release's programs, and the tags that its kubeadm gives to images of other projects.

    Under these tags lie the toolbox's own etcd, CoreDNS and pause, which may be newer than the tag says.
    """

    suffix: str = ""
    etcd: str
    coredns: str
    pause: str

    @property
    def version(self) -> str:
        """Such as 1.37.2."""
        return toolbox.component_of(self.binary("kubeadm")).version

    def binary(self, program: str) -> str:
        """Give the toolbox's name of one of Kubernetes' programs."""
        return f"{program}{self.suffix}"


NEWEST = Release(etcd="3.7.0-0", coredns="v1.14.6", pause="3.10.2")
IPVS = Release(suffix="-1.34.4", etcd="3.6.5-0", coredns="v1.12.1", pause="3.10.1")
"""The last minor whose default of kube-proxy is ipvs."""
PREVIOUS = Release(suffix="-1.36.3", etcd="3.6.8-0", coredns="v1.14.2", pause="3.10.2")
"""The minor before the newest."""

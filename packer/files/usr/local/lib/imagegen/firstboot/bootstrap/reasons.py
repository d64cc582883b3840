"""Every reason code that a line or status.json can carry, with what to do about it."""

from __future__ import annotations

from typing import NamedTuple

_NEW_USER_DATA = "Render the user-data again and start a new machine with it."
_NEW_IMAGE = "Build the image again, or start the machine from another one."
_NOTHING = "Nothing: this is for your information."
# What is there on every control plane that kubeadm made; etcd's image brings etcdctl.
_ETCDCTL = (
    "`kubectl -n kube-system exec etcd-<a node that runs> -- etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt "
    "--cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key"
)
_LIST, _REMOVE = f"{_ETCDCTL} member list`", f"{_ETCDCTL} member remove <id>`"
_PAGE = "The cluster's own page: `imagegen runbook SPEC`, replace-a-control-plane.md."
_ENDPOINT = "Nothing, while the first control plane is on its way. Else look at it and at the way to the endpoint"

NEXT_STEPS: dict[str, str] = {
    "address-not-found": "Attach the machine to a network of nodeCIDRs, or correct network.nodeCIDRs in the spec.",
    "api-silent": "Nothing: the join goes on when the API answers again.",
    "clock-behind": "Give the machine a time source that it can reach; it goes on without.",
    "closed": f"{_ENDPOINT}: a load balancer answers, with nothing behind it.",
    "cluster-found": _NOTHING,
    "baked-already": _NOTHING,
    "cni-apply-failed": "Look at /var/log/imagegen/cni.log; it is tried again.",
    "cni-manifest-invalid": _NEW_IMAGE,
    "cni-manifest-missing": _NEW_IMAGE,
    "config-invalid": _NEW_USER_DATA,
    "config-missing": _NEW_USER_DATA,
    "contract-mismatch": "Render the user-data with the imagegen that built the image, or the other way round.",
    "endpoint-other-ca": "Find out who holds the endpoint; the cluster starts when nobody answers there.",
    "disk-full": "Make room on the disk, or start the machine with a larger one; it is tried again.",
    "etcd-data": _NOTHING,
    "etcd-learner": "Nothing, while control planes join one after another. If it stays, a machine that is gone may "
    f"have left a learner behind: find it with {_LIST}, remove it with {_REMOVE}.",
    "etcd-member-lives": "Stop the other machine, or give this one another name or address. If there is none, and only "
    f"then: find its member with {_LIST}, remove it with {_REMOVE}. {_PAGE}",
    "etcd-member-removed": _NOTHING,
    "etcd-member-stays": f"It is tried again. By hand: find it with {_LIST}, remove it with {_REMOVE}. {_PAGE}",
    "etcd-silent": "Look whether etcd runs on a majority of the control planes, and whether its port 2379 and the API "
    "can be reached from here. kubeadm is run without the answer, and asks for itself. Is a member of this machine's "
    f"name or address left over, remove it: {_LIST}; {_REMOVE}.",
    "etcd-unhealthy": "Nothing, while control planes start or restart. If it stays, look for members that are gone: "
    f"{_LIST}; remove them with {_REMOVE}. {_PAGE}",
    "hairpin-failed": "Look at `systemctl status imagegen-hairpin.service`; it is tried again.",
    "hook-failed": "Look at the hook's log in /var/log/imagegen; it is tried again until it ends with code 0.",
    "hostname-not-set": "Give the machine a host name of its own, by meta-data or DHCP.",
    "http-status": "Look at the API server: cluster-info in kube-public must be readable without credentials.",
    "image-file-invalid": _NEW_IMAGE,
    "image-file-missing": "Start the machine from an image that imagegen built.",
    "install-failed": "Look at /var/log/imagegen/install.log; all of it is tried again.",
    "instance-id-missing": "Nothing, while cloud-init is at work. Else find out why it knows no instance id.",
    "internal-error": "It is tried again. If it stays, it is a bug: see the journal of imagegen-bootstrap.service.",
    "keepalived-failed": "Look at `systemctl status haproxy.service keepalived.service`; it is tried again. Units that "
    "there are not: start the machine from an image of this very spec.",
    "kubeconfig-missing": "Copy /etc/kubernetes/admin.conf to the user's ~/.kube/config, owned by the user, mode 0600.",
    "kubeadm-failed": "Look at the log of kubeadm in /var/log/imagegen; it is tried again.",
    "kubeadm-invalid": f"kubeadm refuses its configuration, so no further try is made. {_NEW_USER_DATA}",
    "kubeadm-timeout": "Look at the log of kubeadm in /var/log/imagegen; it is tried again.",
    "locked": "Nothing: the other run, or the kubeadm that it started, has to end first.",
    "machine-mismatch": "Boot the system and the architecture that the spec names, or change the spec.",
    "name-invalid": "Choose a shorter nodeNamePrefix in the spec.",
    "name-not-fixed": "Give the machine the address of one of the pool's nodes, or list it in the spec.",
    "no-manifest": _NOTHING,
    "node-file-invalid": _NEW_USER_DATA,
    "node-file-missing": _NEW_USER_DATA,
    "not-cluster-info": "Look at what answers at the endpoint: it is not a Kubernetes API server.",
    "nothing-answers": _NOTHING,
    "payload-refused": "Serve the file that `imagegen render` wrote with this user-data; it is asked for again.",
    "payload-unreachable": "Look at image.stock.url, and at the way from here to it; it is asked for again.",
    "pki-missing": _NEW_USER_DATA,
    "preflight-failed": "Look at the log of kubeadm in /var/log/imagegen; it is tried again.",
    "refused": f"{_ENDPOINT}: nothing listens there.",
    "reset-failed": "Look at /var/log/imagegen/kubeadm-reset.log; it is tried again.",
    "resumed": _NOTHING,
    "runtime-silent": "Look at `journalctl -u containerd`.",
    "timeout": f"{_ENDPOINT}: a firewall or a security group may swallow the packets.",
    "tls": "Look at what listens at the endpoint: it does not speak TLS.",
    "token-not-signed": "Nothing, within a minute of the first control plane's start. Later, the token has expired: "
    "`imagegen token renew`; or it is not of this cluster: `imagegen token rotate`, and its new user-data.",
    "turn": _NOTHING,
    "unreachable": f"{_ENDPOINT}: there is no way to it from here.",
    "unresolved": "Make the endpoint's name resolve on this machine.",
    "verify-failed": "Look at /var/log/imagegen/install.log: what is not as declared; all of it is tried again.",
    "wipe-incomplete": "Look at the files named; the next boot tries again.",
}


class Note(NamedTuple):
    """What a phase that went well has to say."""

    reason: str = ""
    message: str = ""

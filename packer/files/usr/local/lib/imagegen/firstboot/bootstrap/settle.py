"""Fills in what only this machine knows."""

from __future__ import annotations

from bootstrap import files, roles, yamlfile
from bootstrap.addresses import choose_addresses, parse_addresses, plain
from bootstrap.boot import JOIN_CONFIG, MAIN_CONFIG, Boot
from bootstrap.failures import Final, NotYet
from bootstrap.kubeadmfile import KubeadmFile
from bootstrap.names import give_name
from bootstrap.phases import JOIN, WORKER
from bootstrap.reasons import Note

# The kind that a staged file must have, and whether it must make a control plane.
SHAPES = {
    (JOIN, MAIN_CONFIG): ("JoinConfiguration", True),
    (WORKER, MAIN_CONFIG): ("JoinConfiguration", False),
}
INIT_SHAPES = {MAIN_CONFIG: ("InitConfiguration", False), JOIN_CONFIG: ("JoinConfiguration", True)}


def settle(boot: Boot) -> Note:
    """Writes the configurations that kubeadm is run with."""
    addresses = _find_addresses(boot)
    node_name = give_name(boot, addresses)
    told = roles.decide(boot, {node_name, *addresses})
    files.private_folder(boot.paths.work)
    for name in boot.staged_configs:
        config = _read(boot, name)
        config.fill(addresses, node_name)
        yamlfile.write(boot.paths.work / name, config.documents, 0o600)
    return Note("", f"{node_name}, address {', '.join(addresses)}{told}")


def _find_addresses(boot: Boot) -> list[str]:
    answer = boot.tools.ask("ip", "-json", "address")
    if answer.code:
        raise NotYet("address-not-found", f"ip -json address: {answer.err.strip()}")
    # On the loopback interface lies the load balancer's, where this control plane answers it itself.
    held = ("lo", plain(boot.node.host))
    found = [address for address in parse_addresses(answer.out) if address != held]
    boot.own_addresses = tuple(address.value for address in found)
    chosen = choose_addresses(found, boot.node.cidrs, boot.node.host)
    if not chosen:
        have = ", ".join(f"{item.value} on {item.link}" for item in found) or "none at all"
        networks = ", ".join(boot.node.cidrs)
        raise NotYet("address-not-found", f"no address on {networks}; this machine has {have}")
    boot.link = next(address.link for address in found if address.value == chosen[0])
    return chosen


def _read(boot: Boot, name: str) -> KubeadmFile:
    config = KubeadmFile.read(boot.paths.home / name)
    boot.mask.learn(config.secrets())
    kind, control_plane = SHAPES.get((boot.node.role, name)) or INIT_SHAPES[name]
    if not config.kind(kind):
        raise Final("config-invalid", f"{name} holds no {kind}, which the role {boot.node.role} needs")
    if kind == "JoinConfiguration" and config.joins_control_plane != control_plane:
        what = "lacks" if control_plane else "has"
        raise Final("config-invalid", f"the JoinConfiguration in {name} {what} the section controlPlane")
    return config

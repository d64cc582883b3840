"""What this machine is called as a node."""

from __future__ import annotations

import re

from bootstrap.boot import Boot
from bootstrap.failures import Final, NotYet
from bootstrap.identity import FIXED, METADATA, WITH_INSTANCE_ID

# What every machine is called before it has been given a name.
NO_NAMES = {"", "localhost", "localhost.localdomain", "(none)"}
# A label's length in DNS (RFC 1123), which the kubelet's host name label must keep.
LONGEST = 63


def give_name(boot: Boot, addresses: list[str]) -> str:
    """Finds the node's name, gives it to the machine if it has another, and returns it."""
    name = _NAMES[boot.node.name_from](boot, addresses)
    if name != boot.hostname:
        # The file is for the next boot: user-data tells cloud-init to leave the name alone.
        boot.paths.hostname_file.write_text(f"{name}\n")
        answer = boot.tools.ask("hostname", name)
        if answer.code:
            raise NotYet("hostname-not-set", f"hostname {name}: {answer.err.strip()}")
    return name


def _from_metadata(boot: Boot, _: list[str]) -> str:
    if boot.hostname in NO_NAMES:
        raise NotYet("hostname-not-set", f"the host name is still {boot.hostname!r}")
    return boot.hostname


def _from_hosts(boot: Boot, addresses: list[str]) -> str:
    for line in boot.paths.hosts.read_text().splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if address in addresses and names:
            return names[0].lower()
    where = ", ".join(addresses)
    raise NotYet("name-not-fixed", f"the spec fixes no node at {where}: /etc/hosts has no line for it")


def _from_instance_id(boot: Boot, _: list[str]) -> str:
    try:
        instance = boot.paths.instance_id.read_text().strip().lower()
    except FileNotFoundError as error:
        raise NotYet("instance-id-missing", f"{boot.paths.instance_id} is not there yet") from error
    name = boot.node.name_prefix + re.sub(r"[^a-z0-9-]", "-", instance).strip("-")
    if not instance or len(name) > LONGEST:
        raise Final("name-invalid", f"`{name}` is no node name of at most {LONGEST} characters")
    return name


_NAMES = {METADATA: _from_metadata, FIXED: _from_hosts, WITH_INSTANCE_ID: _from_instance_id}

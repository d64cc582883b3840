"""Whether a kubelet may have the serving certificate that it asks for."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from approving.request import Address, OtherRequestError, Request, read_request
from approving.settings import Settings

SIGNER = "kubernetes.io/kubelet-serving"
_USER, _GROUP = "system:node:", "system:nodes"
_SERVES = "server auth"
_USAGES = {_SERVES, "digital signature", "key encipherment"}
# A kubelet may not give itself this label (admission plugin NodeRestriction).
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"

Thing = Mapping[str, Any]


def is_open(thing: Thing) -> bool:
    """Whether it is a request for this signer that nobody has decided."""
    return thing["spec"]["signerName"] == SIGNER and not thing.get("status", {}).get("conditions")


def objection(thing: Thing, nodes: Mapping[str, Thing], settings: Settings) -> str:
    """What speaks against approving it; nothing where all is as it should be. `nodes` by their names."""
    try:
        return next(_objections(thing, nodes, settings), "")
    except (KeyError, TypeError, ValueError) as error:
        return f"it cannot be read: {type(error).__name__}: {error}"


def _objections(thing: Thing, nodes: Mapping[str, Thing], settings: Settings) -> Iterator[str]:
    spec = thing["spec"]
    name = spec["username"][len(_USER) :]
    if not spec["username"].startswith(_USER) or _GROUP not in spec.get("groups", ()):
        # Whoever it is, it is no node; and what else it asks for does not matter.
        yield f"{spec['username']} is no node"
        return
    usages = set(spec["usages"])
    if _SERVES not in usages or usages - _USAGES:
        yield f"it is to be used for: {', '.join(sorted(usages))}"
    if name not in nodes:
        yield f"there is no node {name}"
        return
    try:
        request = read_request(base64.b64decode(spec["request"], validate=True))
    except (OtherRequestError, binascii.Error) as error:
        yield f"its request is not a kubelet's: {error}"
        return
    yield from _about_the_name(request, name)
    yield from _about_addresses(request, nodes, name, settings)


def _about_the_name(request: Request, name: str) -> Iterator[str]:
    if request.organisations != (_GROUP,) or request.common_names != (_USER + name,):
        yield f"its subject is O={','.join(request.organisations)}, CN={','.join(request.common_names)}"
    for other in request.dns_names:
        if other != name:
            yield f"{other} is not the node's name"
    if not request.dns_names and not request.addresses:
        yield "it names neither a host nor an address"


def _about_addresses(request: Request, nodes: Mapping[str, Thing], name: str, settings: Settings) -> Iterator[str]:
    own = addresses_of(nodes[name])
    others = {address: other for other, node in nodes.items() if other != name for address in addresses_of(node)}
    plane = _CONTROL_PLANE in nodes[name]["metadata"].get("labels", {})
    for address in request.addresses:
        if address not in own:
            yield f"{address} is not among the node's addresses"
        # A node says itself which addresses it has.
        if not any(address in network for network in settings.networks):
            yield f"{address} is in no network of nodes"
        if address in others:
            yield f"{address} is {others[address]}'s, too"
        if str(address) == settings.endpoint and not plane:
            yield f"{address} is the endpoint's, and the node is no control plane"


def addresses_of(node: Thing) -> set[Address]:
    """A node's addresses, without its names."""
    found: set[Address] = set()
    for entry in node.get("status", {}).get("addresses", ()):
        if entry["type"] in {"InternalIP", "ExternalIP"}:
            found.add(ipaddress.ip_address(entry["address"]))
    return found

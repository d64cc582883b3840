"""Takes a dead member of etcd out whose place this machine is about to take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bootstrap import etcd, probe
from bootstrap.addresses import plain
from bootstrap.boot import Boot
from bootstrap.credentials import Credentials, borrow
from bootstrap.etcdclient import EtcdClient, EtcdError, Member
from bootstrap.etcdwords import LEARNER
from bootstrap.failures import NotYet, Retry
from bootstrap.reasons import Note

# kubeadm's own words for etcd's static pods, and where each of them answers (app/constants/constants.go).
SELECTOR = "component=etcd,tier=control-plane"
ADDRESSES = "kubeadm.kubernetes.io/etcd.advertise-client-urls"
PROBES, PAUSE = 3, 2.0


def take_place(boot: Boot) -> Note:
    """Removes the member that an earlier machine of this name or address has left, if it is certainly dead.

    kubeadm would start such a member with an empty disk, or announce another one (addMember, app/util/etcd/etcd.go).
    The first panics, and the second is refused while a member is gone (both seen with etcd 3.7.0).
    """
    if etcd.has_member(boot):
        return Note("", "this disk holds this node's member")
    with borrow(boot) as credentials:
        urls = list(_client_urls(boot, credentials))
        if not urls:
            return Note("", "the API knows no etcd of kubeadm's on another machine")
        client, members = _ask(urls, credentials)
        stale = [member for member in members if _is_stale(boot, member)]
        for member in stale:
            _require_dead(boot, credentials, member)
            _remove(client, member)
    if stale:
        told = ", ".join(map(str, stale))
        return Note("etcd-member-removed", f"etcd has lost its dead member {told}, whose place this machine takes")
    _require_no_learner(boot, members)
    return Note()


def _client_urls(boot: Boot, credentials: Credentials) -> Iterator[str]:
    """Where etcd answers on other machines."""
    pods = _kubectl(boot, credentials, "--namespace", "kube-system", "get", "pods", "--selector", SELECTOR)
    for pod in pods.get("items", []):
        urls = (pod["metadata"].get("annotations") or {}).get(ADDRESSES, "")
        yield from (url for url in urls.split(",") if url and not _is_here(boot, url))


def _kubectl(boot: Boot, credentials: Credentials, *words: str) -> dict[str, Any]:
    command = (*boot.kubectl(credentials.kubeconfig), "--request-timeout=10s", *words, "--output", "json")
    answer = boot.tools.ask(*command)
    if answer.code:
        raise NotYet("etcd-silent", f"the API does not say where etcd is: {answer.err.strip()[-200:]}")
    found: dict[str, Any] = json.loads(answer.out or "{}")
    return found


def _ask(urls: list[str], credentials: Credentials) -> tuple[EtcdClient, list[Member]]:
    """The first member that has a majority behind it, and what it says of all."""
    trouble = []
    for url in urls:
        client = EtcdClient(url, credentials)
        try:
            client.require_quorum()
            return client, client.members()
        except EtcdError as error:
            trouble.append(f"{url}: {error}")
    raise NotYet("etcd-silent", f"no member of etcd answers with a majority behind it: {'; '.join(trouble)[:300]}")


def _is_stale(boot: Boot, member: Member) -> bool:
    # One without a name was announced and never started: kubeadm goes on with it, if it is this machine's.
    return bool(member.name) and (member.name == boot.node_name or any(_is_here(boot, url) for url in member.urls))


def _is_here(boot: Boot, url: str) -> bool:
    # The one that kubeadm gives etcd; what else this machine has may be on others, too.
    return plain(urlsplit(url).hostname or "") == plain(boot.config.advertise_address)


def _require_dead(boot: Boot, credentials: Credentials, member: Member) -> None:
    """Neither its addresses nor its node may show a sign of life; it must be nowhere else than here."""
    for url in member.urls:
        if not _is_here(boot, url) and _answers(boot, url):
            raise Retry("etcd-member-lives", f"something answers at {url} of etcd's member {member}")
    try:
        node = _kubectl(boot, credentials, "get", "node", member.name, "--ignore-not-found")
    except NotYet as pause:
        # The limit of the wait must not end in a join with this member in the way.
        raise Retry(pause.reason, pause.message) from pause
    conditions = (node.get("status") or {}).get("conditions") or []
    if any(item["type"] == "Ready" and item["status"] == "True" for item in conditions):
        raise Retry("etcd-member-lives", f"the node {member.name} of etcd's member {member} is Ready")


def _answers(boot: Boot, url: str) -> bool:
    parts = urlsplit(url)
    for count in range(PROBES):
        boot.clock.sleep(PAUSE if count else 0)
        if probe.connects(parts.hostname or "", parts.port or 0):
            return True
    return False


def _remove(client: EtcdClient, member: Member) -> None:
    try:
        client.remove(member)
    except EtcdError as error:
        raise Retry("etcd-member-stays", f"etcd keeps its dead member {member}: {error}") from error


def _require_no_learner(boot: Boot, members: list[Member]) -> None:
    """Not while another control plane is joining: etcd takes one learner at a time."""
    for member in members:
        if member.learner and not any(_is_here(boot, url) for url in member.urls):
            raise NotYet(LEARNER, f"another control plane joins etcd: {member}")

"""Bootstrap tokens after the cluster is there: new ones, and old ones made good again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from imagegen import yaml_dump
from imagegen.bundle import Bundle

# The group that kubeadm binds to what a joining node may do (kubeadm's bootstrap token documentation).
_GROUP = "system:bootstrappers:kubeadm:default-node-token"
_UNITS = {"h": "hours", "m": "minutes", "s": "seconds"}


def with_token(bundle: Bundle, name: str, token: str) -> Bundle:
    """The bundle with another token for a pool, or a first one for a pool added later."""
    return replace(bundle, tokens={**bundle.tokens, name: token})


def duration(text: str) -> timedelta:
    """A Go duration of whole hours, minutes and seconds, as the schema lets it pass."""
    parts = re.findall(r"([0-9]+)([hms])", text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def token_manifest(name: str, token: str, ttl: str, now: datetime) -> str:
    """The Secret that makes a running cluster take this token; a TTL of zero: for ever."""
    token_id, _, secret = token.partition(".")
    data: dict[str, Any] = {
        "description": f"imagegen: {name}",
        "token-id": token_id,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": _GROUP,
    }
    if lifetime := duration(ttl):
        data["expiration"] = (now + lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": data,
    }
    return yaml_dump.dump(manifest)

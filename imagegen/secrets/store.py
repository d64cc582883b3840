"""The bundle as a YAML file: written once, checked on every load."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from imagegen import document, yaml_dump
from imagegen.bundle import CONTROL_PLANE, Authority, Bundle, KeyPair
from imagegen.diagnostics import Diagnostic, Position
from imagegen.secrets import keys

_API_VERSION = "imagegen/v1alpha1"
_KIND = "SecretsBundle"
_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_AUTHORITIES = ("clusterCA", "etcdCA", "frontProxyCA")
_ENCRYPTION_KEY_BYTES = 32
_POOL_ADDED = "`imagegen token rotate SPEC --pool <pool>` makes one, and the Secret that tells the cluster"
_HEADER = """\
# Secrets of one cluster, made by `imagegen secrets new`. Whoever has this file owns the cluster: keep it out of
# version control and readable by its owner alone. Losing it means losing the way to add nodes.
"""


def dump_bundle(bundle: Bundle) -> str:
    """The bundle as YAML."""
    data = {
        "apiVersion": _API_VERSION,
        "kind": _KIND,
        "cluster": bundle.cluster,
        **{
            name: {"certificate": authority.certificate, "key": authority.key}
            for name, authority in zip(
                _AUTHORITIES, (bundle.cluster_ca, bundle.etcd_ca, bundle.front_proxy_ca), strict=True
            )
        },
        "serviceAccount": {
            "public": bundle.service_account.public,
            "private": bundle.service_account.private,
        },
        "buildKey": {"public": bundle.build_key.public, "private": bundle.build_key.private},
        "encryptionKey": bundle.encryption_key,
        "tokens": dict(bundle.tokens),
    }
    return _HEADER + yaml_dump.dump(data)


def load_bundle(text: str, file: str, now: datetime) -> tuple[Bundle | None, tuple[Diagnostic, ...]]:
    """Read and check a bundle (codes IG301 to IG303); no message repeats a secret."""
    parsed, findings = document.parse(text, file)
    if parsed is None:
        return None, findings
    try:
        bundle = _decode(parsed.data)
        faults = _faults(bundle, now)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else "it was not made by `secrets new`"
        return None, (_finding(file, "IG301", f"this is no secrets bundle: {reason}"),)
    if faults:
        return None, tuple(_finding(file, "IG302", fault) for fault in faults)
    return bundle, ()


def missing_tokens(bundle: Bundle, pools: tuple[str, ...], file: str) -> tuple[Diagnostic, ...]:
    """IG303: a pool that the bundle has no token for."""
    return tuple(
        _finding(file, "IG303", f"the bundle has no token for the pool `{pool}`", hint=_POOL_ADDED)
        for pool in pools
        if pool not in bundle.tokens
    )


def _finding(file: str, code: str, message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, message=message, hint=hint, position=Position(file=file, line=1, column=1))


def _decode(data: Mapping[str, Any]) -> Bundle:
    if (data["apiVersion"], data["kind"]) != (_API_VERSION, _KIND):
        raise ValueError("another kind of file")
    cluster_ca, etcd_ca, front_proxy_ca = (
        Authority(certificate=data[name]["certificate"], key=data[name]["key"]) for name in _AUTHORITIES
    )
    return Bundle(
        cluster=data["cluster"],
        cluster_ca=cluster_ca,
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(**data["serviceAccount"]),
        build_key=KeyPair(**data["buildKey"]),
        encryption_key=data["encryptionKey"],
        tokens=dict(data["tokens"]),
        ca_hashes=(keys.ca_hash(cluster_ca),),
        not_before=keys.not_before(cluster_ca, etcd_ca, front_proxy_ca),
    )


def _faults(bundle: Bundle, now: datetime) -> list[str]:
    authorities = (bundle.cluster_ca, bundle.etcd_ca, bundle.front_proxy_ca)
    faults = [
        fault
        for name, authority in zip(_AUTHORITIES, authorities, strict=True)
        for fault in keys.authority_faults(name, authority, now)
    ]
    faults += keys.key_pair_faults("serviceAccount", bundle.service_account)
    faults += [
        f"tokens.{name}: a bootstrap token is six and sixteen of [a-z0-9] with a dot between"
        for name, token in bundle.tokens.items()
        if not _TOKEN.fullmatch(token)
    ]
    if len(b64decode(bundle.encryption_key, validate=True)) != _ENCRYPTION_KEY_BYTES:
        faults.append(f"encryptionKey: must be {_ENCRYPTION_KEY_BYTES} bytes in base64")
    if CONTROL_PLANE not in bundle.tokens:
        faults.append(f"tokens.{CONTROL_PLANE} is missing")
    if len({token.partition(".")[0] for token in bundle.tokens.values()}) != len(bundle.tokens):
        faults.append("tokens: two have the same id")
    return faults

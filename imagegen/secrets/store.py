"""The bundle as a YAML file: written once, checked on every load."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from imagegen import document, yaml_dump
from imagegen.bundle import CONTROL_PLANE, Authorities, Authority, Bundle, KeyPair
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
        **(_dump_authorities(bundle.authorities) if bundle.authorities else {}),
        "buildKey": {"public": bundle.build_key.public, "private": bundle.build_key.private},
        "tokens": dict(bundle.tokens),
        **({"trustedCAs": list(bundle.trusted_cas)} if bundle.trusted_cas else {}),
        **({"recipients": list(bundle.recipients)} if bundle.recipients else {}),
    }
    return _HEADER + yaml_dump.dump(data)


def _dump_authorities(authorities: Authorities) -> dict[str, Any]:
    service_account = authorities.service_account
    return {
        **{
            name: {"certificate": authority.certificate, "key": authority.key}
            for name, authority in _named(authorities).items()
        },
        "serviceAccount": {"public": service_account.public, "private": service_account.private},
        "encryptionKey": authorities.encryption_key,
    }


def _named(authorities: Authorities) -> dict[str, Authority]:
    values = (authorities.cluster_ca, authorities.etcd_ca, authorities.front_proxy_ca)
    return dict(zip(_AUTHORITIES, values, strict=True))


def load_bundle(
    text: str, file: str, now: datetime, existing_ca: str | None = None
) -> tuple[Bundle | None, tuple[Diagnostic, ...]]:
    """Read and check a bundle (codes IG301 to IG303); no message repeats a secret.

    `existing_ca`: the CA certificates of a control plane made elsewhere, whose bundle has no authorities.
    """
    parsed, findings = document.parse(text, file)
    if parsed is None:
        # The line that cannot be read may hold a secret, and so may the reader's words about it.
        broken = "it is not YAML, or something in it was changed by hand"
        return None, tuple(replace(_finding(file, "IG301", broken), position=finding.position) for finding in findings)
    try:
        bundle = _decode(parsed.data, existing_ca)
        faults = _faults(bundle, now)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else "it was not made by `secrets new`"
        return None, (_finding(file, "IG301", f"this is no secrets bundle: {reason}"),)
    if faults:
        return None, tuple(_finding(file, "IG302", fault) for fault in faults)
    return bundle, ()


def check_fit(bundle: Bundle, cluster: str, pools: tuple[str, ...], file: str) -> tuple[Diagnostic, ...]:
    """IG303: a pool that the bundle has no token for. IG304: a bundle of another cluster."""
    findings = [
        _finding(file, "IG303", f"the bundle has no token for the pool `{pool}`", hint=_POOL_ADDED)
        for pool in pools
        if pool not in bundle.tokens
    ]
    if bundle.cluster != cluster:
        findings.append(
            _finding(file, "IG304", f"this is the bundle of the cluster `{bundle.cluster}`, not of `{cluster}`")
        )
    return tuple(findings)


def _finding(file: str, code: str, message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, message=message, hint=hint, position=Position(file=file, line=1, column=1))


def _decode(data: Mapping[str, Any], existing_ca: str | None) -> Bundle:
    if (data["apiVersion"], data["kind"]) != (_API_VERSION, _KIND):
        raise ValueError("another kind of file")
    authorities = None if existing_ca else _decode_authorities(data)
    certificates = [authority.certificate for authority in _named(authorities).values()] if authorities else []
    further = tuple(_texts(data, "trustedCAs"))
    trusted = existing_ca or "".join((certificates[0], *further))
    return Bundle(
        cluster=data["cluster"],
        authorities=authorities,
        build_key=KeyPair(**data["buildKey"]),
        tokens=dict(data["tokens"]),
        ca_hashes=keys.ca_hashes(trusted),
        not_before=keys.not_before(trusted, *certificates[1:]),
        trusted_cas=further,
        recipients=tuple(_texts(data, "recipients")),
    )


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    texts = data.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name} is a list of texts")
    return texts


def _decode_authorities(data: Mapping[str, Any]) -> Authorities:
    cluster_ca, etcd_ca, front_proxy_ca = (
        Authority(certificate=data[name]["certificate"], key=data[name]["key"]) for name in _AUTHORITIES
    )
    return Authorities(
        cluster_ca=cluster_ca,
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(**data["serviceAccount"]),
        encryption_key=data["encryptionKey"],
    )


def _faults(bundle: Bundle, now: datetime) -> list[str]:
    faults = _authority_faults(bundle.authorities, now) if bundle.authorities else []
    faults += _trusted_faults(bundle)
    faults += [
        f"tokens.{name}: a bootstrap token is six and sixteen of [a-z0-9] with a dot between"
        for name, token in bundle.tokens.items()
        if not _TOKEN.fullmatch(token)
    ]
    if bundle.authorities and CONTROL_PLANE not in bundle.tokens:
        faults.append(f"tokens.{CONTROL_PLANE} is missing")
    if len({token.partition(".")[0] for token in bundle.tokens.values()}) != len(bundle.tokens):
        faults.append("tokens: two have the same id")
    return faults


def _trusted_faults(bundle: Bundle) -> list[str]:
    """An expired one is no fault: a CA that runs out is replaced, and dropped last."""
    if bundle.trusted_cas and not bundle.authorities:
        return ["trustedCAs: the control plane was made elsewhere: `controlPlane.existing.caCertificate` lists its CAs"]
    faults = []
    for number, text in enumerate(bundle.trusted_cas, 1):
        if len(keys.split_certificates(text)) != 1:
            faults.append(f"trustedCAs: entry {number} is not one certificate")
        elif not keys.is_ca(text):
            faults.append(f"trustedCAs: entry {number} is not a CA's certificate")
    return faults


def _authority_faults(authorities: Authorities, now: datetime) -> list[str]:
    faults = [
        fault
        for name, authority in _named(authorities).items()
        for fault in keys.authority_faults(name, authority, now)
    ]
    if len(keys.split_certificates(authorities.cluster_ca.certificate)) != 1:
        faults.append("clusterCA: more than one certificate: the further ones belong under `trustedCAs`")
    faults += keys.key_pair_faults("serviceAccount", authorities.service_account)
    if len(b64decode(authorities.encryption_key, validate=True)) != _ENCRYPTION_KEY_BYTES:
        faults.append(f"encryptionKey: must be {_ENCRYPTION_KEY_BYTES} bytes in base64")
    return faults

"""Speaks to etcd by its JSON gateway, which every member serves at its client address.

It is on unless --enable-grpc-gateway=false, and has had these paths since 3.4 (etcd's docs, api_grpc_gateway). `kubeadm
join` speaks to the same addresses with the same certificate: nothing more has to be open, or installed.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bootstrap.credentials import Credentials

TIMEOUT = 7.0
CLIENT_PORT = 2379
# Between two pieces of a snapshot, which are of 32 KiB (etcd's snapshotSendBufferSize), a third more in base64.
PIECE_TIMEOUT, PIECE_BYTES = 60.0, 1 << 20
# base64 of `health`, the key that `etcdctl endpoint health` reads.
ANY_KEY = "aGVhbHRo"
NOT_FOUND = "etcdserver: member not found"


class EtcdError(Exception):
    """What etcd, or the way to it, said instead of an answer."""


class Member(NamedTuple):
    """A member of etcd; one that has never been started has no name."""

    number: int
    name: str
    urls: tuple[str, ...]
    learner: bool

    def __str__(self) -> str:
        """As etcdctl writes it, so that it can be given to etcdctl."""
        return f"{self.name or 'without a name'} ({self.number:x}, {', '.join(self.urls)})"


class EtcdClient:
    """One member of etcd, asked as kubeadm's health check asks it."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or CLIENT_PORT
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(cafile=str(credentials.authority))
        self._context.load_cert_chain(str(credentials.certificate), str(credentials.key))

    def require_quorum(self) -> None:
        """A read that is not answered unless a majority of the members agrees."""
        self._post("kv/range", {"key": ANY_KEY})

    def members(self) -> list[Member]:
        return [_member(item) for item in self._post("cluster/member/list", {})["members"]]

    def remove(self, member: Member) -> None:
        """Takes a member out; it may be gone already."""
        try:
            self._post("cluster/member/remove", {"ID": str(member.number)})
        except EtcdError as error:
            if NOT_FOUND not in str(error):
                raise

    def snapshot(self) -> Iterator[bytes]:
        """The member's whole database, piece by piece, and behind it the SHA-256 of that."""
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=PIECE_TIMEOUT, context=self._context)
        try:
            connection.request("POST", "/v3/maintenance/snapshot", "{}")
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise EtcdError(f"HTTP {response.status}: {response.read(200).decode(errors='replace')}")
            for line in iter(lambda: response.readline(PIECE_BYTES), b""):
                answer = json.loads(line)
                if "result" not in answer:
                    raise EtcdError(str(answer.get("error"))[:200])
                # A piece without content is left out, as empty things are.
                yield base64.b64decode(answer["result"].get("blob", ""))
        except (OSError, http.client.HTTPException, ValueError, binascii.Error) as error:
            raise EtcdError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._context)
        try:
            connection.request("POST", f"/v3/{path}", json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            if response.status != http.client.OK:
                raise EtcdError(f"HTTP {response.status}: {text.strip()[:200]}")
            answer: dict[str, Any] = json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EtcdError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        return answer


def _member(item: dict[str, Any]) -> Member:
    urls = (*item.get("peerURLs", ()), *item.get("clientURLs", ()))
    return Member(int(item["ID"]), item.get("name", ""), urls, bool(item.get("isLearner")))

"""The cluster's API as the operator asks it: by the kubeconfig alone, over a port of this host."""

import base64
import json
import os
import socket
import ssl
import tempfile
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import yaml

_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where it is, the name that its certificate must have, and who asks."""

    host: str
    port: int
    server_name: str
    context: ssl.SSLContext

    @classmethod
    def of_kubeconfig(cls, text: str) -> "Api":
        """By the one cluster and user of a kubeconfig with everything in it."""
        data = yaml.safe_load(text)
        cluster, user = data["clusters"][0]["cluster"], data["users"][0]["user"]
        host, _, port = str(cluster["server"]).removeprefix("https://").rpartition(":")
        context = ssl.create_default_context(cadata=_plain(cluster["certificate-authority-data"]))
        _identify(context, _plain(user["client-certificate-data"]) + _plain(user["client-key-data"]))
        return cls(host=host, port=int(port), server_name=cluster.get("tls-server-name", host), context=context)

    def get(self, path: str) -> Any:
        """What it has at a path, as data; None as long as it does not say."""
        connection = _Connection(self)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return json.loads(answer.read()) if answer.status == 200 else None  # noqa: PLR2004  OK
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()


class _Connection(HTTPSConnection):
    """HTTPS to one address, with the certificate of another."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.host, api.port, timeout=_SECONDS)
        self._api = api

    def connect(self) -> None:
        plain = socket.create_connection((self._api.host, self._api.port), _SECONDS)
        self.sock = self._api.context.wrap_socket(plain, server_hostname=self._api.server_name)


def _plain(text: str) -> str:
    return base64.b64decode(text).decode()


def _identify(context: ssl.SSLContext, pem: str) -> None:
    """The library takes a key from a file only: a private one, which is gone at once."""
    descriptor, name = tempfile.mkstemp(prefix="imagegen-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(pem)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()

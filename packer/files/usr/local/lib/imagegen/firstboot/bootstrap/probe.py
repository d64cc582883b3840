"""Asks what answers at the cluster's endpoint."""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path

from bootstrap.failures import NotYet

TIMEOUT = 5.0
CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
# Open to everybody by kubeadm's default (Kubernetes' page on its health endpoints).
READY = "/readyz"
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME: an expired certificate of our CA is still our cluster.
ANY_TIME = 0x200000
# From the most special to the most general, since the first that fits counts.
REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "endpoint-other-ca"),
    (ssl.SSLEOFError, "closed"),
    (ssl.SSLZeroReturnError, "closed"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "unresolved"),
    (socket.timeout, "timeout"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "closed"),
    (OSError, "unreachable"),
    (http.client.HTTPException, "not-cluster-info"),
)


def shake_hands(host: str, port: int, authority: Path) -> str:
    """Why there is no TLS with this CA at the endpoint; nothing if there is."""
    context = _context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cafile=str(authority))
    context.verify_flags |= ANY_TIME
    try:
        with socket.create_connection((host, port), TIMEOUT) as plain:
            context.wrap_socket(plain, server_hostname=host).close()
    except OSError as error:
        return reason_of(error)
    return ""


def cluster_info(host: str, port: int) -> bytes:
    """The public description of the cluster, unverified: kubeadm compares the CA's hash itself."""
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=_context())
    try:
        connection.request("GET", CLUSTER_INFO)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotYet(reason_of(error), f"{host}:{port}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise NotYet("http-status", f"{host}:{port} answers cluster-info with HTTP {response.status}")
    return body


def is_ready(host: str, port: int) -> bool:
    """Whether the API server there says that it is ready."""
    connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=_context())
    try:
        connection.request("GET", READY)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def connects(host: str, port: int) -> bool:
    """Whether anything takes a connection there."""
    try:
        socket.create_connection((host, port), TIMEOUT).close()
    except OSError:
        return False
    return True


def reason_of(error: Exception) -> str:
    """The code for this way of not getting an answer."""
    return next(reason for kind, reason in REASONS if isinstance(error, kind))


def _context() -> ssl.SSLContext:
    # Not create_default_context: newer Pythons make it refuse certificates for form's sake, which is no question here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

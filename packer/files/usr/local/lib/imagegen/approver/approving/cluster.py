"""The cluster's API, by kubectl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from approving.judging import SIGNER

_LIMIT = 30
_API = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


class NoAnswerError(Exception):
    """The API server did not do what it was asked."""


class Cluster:
    """Asked as the admin of the kubeconfig."""

    def __init__(self, kubeconfig: Path, kubectl: str = "/usr/bin/kubectl") -> None:
        self._kubeconfig = kubeconfig
        self._command = (kubectl, f"--kubeconfig={kubeconfig}", "--request-timeout=10s")

    def is_there(self) -> bool:
        """Whether this control plane has joined."""
        return self._kubeconfig.exists()

    def requests(self) -> list[dict[str, Any]]:
        """All requests for the kubelets' signer."""
        return self._items("certificatesigningrequests", f"--field-selector=spec.signerName={SIGNER}")

    def nodes(self) -> dict[str, dict[str, Any]]:
        """All nodes, by their names."""
        return {node["metadata"]["name"]: node for node in self._items("nodes")}

    def approve(self, thing: Mapping[str, Any]) -> None:
        """Approves this very object: the API server refuses if there is another of its name, or if it was changed."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {
            "type": "Approved",
            "status": "True",
            "reason": "ImagegenApprover",
            "message": "the node asks for its own name and addresses",
            "lastUpdateTime": now,
        }
        approved = {**thing, "status": {"conditions": [condition]}}
        self._run(
            "replace", f"--raw={_API}/{thing['metadata']['name']}/approval", "-f", "-", given=json.dumps(approved)
        )

    def _items(self, *what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._run("get", *what, "--output=json"))["items"]
        return found

    def _run(self, *arguments: str, given: str | None = None) -> str:
        try:
            ended = subprocess.run(
                (*self._command, *arguments),
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoAnswerError(str(error)) from error
        if ended.returncode:
            raise NoAnswerError(ended.stderr.strip()[-300:])
        return ended.stdout

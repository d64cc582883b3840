"""Sees to it that one control plane renews at a time: a Lease in the cluster, and no other API server that is down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.clock import Clock
from bootstrap.paths import Paths
from bootstrap.tools import Result, Tools

from upkeep.telling import WAITING, Trouble

NAME = "imagegen-renewal"
SPACE = ("--namespace", "kube-system")
# Longer than all of it takes at worst: after this, whoever holds it is gone.
SECONDS = 1800
FORM = "%Y-%m-%dT%H:%M:%S.000000Z"


class Turns:
    """The cluster's control planes, asked as its admin."""

    def __init__(self, paths: Paths, clock: Clock, tools: Tools) -> None:
        self._paths, self._clock, self._tools = paths, clock, tools

    @contextmanager
    def held(self) -> Iterator[None]:
        """The turn of this machine, given back when it is over."""
        self._take()
        try:
            yield
        finally:
            # If this fails, the others wait until it has run out.
            self._kubectl("delete", "lease", NAME, *SPACE, "--ignore-not-found")

    def require_others(self) -> None:
        """Every API server is ready, so that one may be restarted."""
        answer = self._kubectl("get", "pods", *SPACE, "--selector", "component=kube-apiserver", "--output", "json")
        pods: list[dict[str, Any]] = self._read(answer)["items"]
        down = [str(pod["spec"].get("nodeName")) for pod in pods if not _is_ready(pod)]
        if down:
            raise Trouble(WAITING, "others-not-ready", f"the API server is not ready on {', '.join(sorted(down))}")

    def _take(self) -> None:
        answer = self._kubectl("create", "--filename", "-", given=self._lease())
        if not answer.code:
            return
        if "AlreadyExists" not in answer.err:
            raise _silent(answer)
        lease = self._read(self._kubectl("get", "lease", NAME, *SPACE, "--output", "json"))
        holder, since = lease["spec"]["holderIdentity"], lease["spec"]["renewTime"]
        if time.strftime(FORM, time.gmtime(self._clock.now() - SECONDS)) < since and holder != self._holder:
            raise Trouble(WAITING, "not-our-turn", f"{holder} renews its certificates just now")
        # Whoever else takes it at this moment has changed its version, and one of the two is refused.
        taken = self._kubectl("replace", "--filename", "-", given=self._lease(lease["metadata"]["resourceVersion"]))
        if taken.code:
            raise Trouble(WAITING, "not-our-turn", f"the turn was not to be had: {taken.err.strip()[-200:]}")

    @property
    def _holder(self) -> str:
        return self._paths.hostname.read_text().strip()

    def _lease(self, version: str | None = None) -> str:
        now = time.strftime(FORM, time.gmtime(self._clock.now()))
        metadata = {"name": NAME, "namespace": "kube-system", **({"resourceVersion": version} if version else {})}
        spec = {"holderIdentity": self._holder, "leaseDurationSeconds": SECONDS, "acquireTime": now, "renewTime": now}
        return json.dumps({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})

    def _kubectl(self, *arguments: str, given: str | None = None) -> Result:
        command = ("kubectl", "--kubeconfig", str(self._paths.admin_conf), "--request-timeout", "15s")
        return self._tools.ask(*command, *arguments, given=given)

    def _read(self, answer: Result) -> dict[str, Any]:
        if answer.code:
            raise _silent(answer)
        value: dict[str, Any] = json.loads(answer.out)
        return value


def _silent(answer: Result) -> Trouble:
    return Trouble(WAITING, "not-our-turn", f"the API does not say whose turn it is: {answer.err.strip()[-200:]}")


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

"""The operator: kubectl beside the machines, with a kubeconfig that no machine was asked for."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from imagegen.lab.network import Network
from imagegen.lab.process import LabError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """Runs kubectl from the operator's side of the lab's network."""

    network: Network
    binary: Path
    kubeconfig: Path

    def run(self, *arguments: str, timeout: float = 30) -> str:
        command = (str(self.binary), f"--kubeconfig={self.kubeconfig}", "--request-timeout=10s")
        return self.network.run(*command, *arguments, timeout=timeout).stdout

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = json.loads(self.run("get", *arguments, "-o", "json"))["items"]
        return found


def condition(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """One of an object's conditions; empty where it has none such."""
    conditions: list[dict[str, Any]] = thing.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def is_ready(thing: dict[str, Any]) -> bool:
    return condition(thing, "Ready").get("status") == "True"


def moment(text: str) -> float:
    """An API object's time as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def until(what: str, probe: Callable[[], T | None], *, limit: float, pause: float = 1) -> T:
    """The first answer of `probe` that is not empty; what the lab refuses meanwhile is asked again."""
    end = time.monotonic() + limit
    last: LabError | None = None
    while time.monotonic() < end:
        try:
            answer = probe()
        except LabError as error:
            last = error
        else:
            if answer:
                return answer
        time.sleep(pause)
    raise TimeoutError(f"not within {limit:g} s: {what}" + (f"\nlast said: {last}" if last else ""))

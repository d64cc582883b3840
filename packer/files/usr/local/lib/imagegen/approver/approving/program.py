"""Looks again and again; says what it approves, and once what it leaves to others."""

from __future__ import annotations

import sys
import time

from approving.cluster import Cluster, NoAnswerError
from approving.judging import is_open, objection
from approving.settings import Settings

EVERY = 5.0


class Approver:
    """What was said already is not said again."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster, self._settings = cluster, settings
        self._said: dict[str, str] = {}
        self._trouble = ""

    def look(self) -> None:
        """One look at all requests."""
        if not self._cluster.is_there():
            return
        try:
            self._decide()
        except NoAnswerError as error:
            # The API server of this very machine may be starting; its words differ from try to try.
            if not self._trouble:
                _say(f"the API server does not answer: {error}")
            self._trouble = str(error)
        else:
            self._trouble = ""

    def _decide(self) -> None:
        waiting = {thing["metadata"]["name"]: thing for thing in self._cluster.requests() if is_open(thing)}
        self._said = {name: word for name, word in self._said.items() if name in waiting}
        nodes = self._cluster.nodes() if waiting else {}
        for name, thing in waiting.items():
            against = objection(thing, nodes, self._settings)
            if not against:
                self._approve(name, thing)
            elif self._said.get(name) != against:
                self._said[name] = against
                _say(f"{name} of {thing['spec']['username']} is left to others: {against}")

    def _approve(self, name: str, thing: dict[str, object]) -> None:
        try:
            self._cluster.approve(thing)
        except NoAnswerError as error:
            # Another control plane's approver was faster, or it is tried again.
            _say(f"{name} was not approved: {error}")
        else:
            _say(f"{name} is approved")


def run(cluster: Cluster, settings: Settings) -> int:
    """Works until it is ended."""
    approver = Approver(cluster, settings)
    while True:
        approver.look()
        time.sleep(EVERY)


def _say(text: str) -> None:
    # For the journal; what others have written into a request must not look like a line of ours.
    sys.stderr.write(f"{text.encode('unicode_escape').decode()}\n")
    sys.stderr.flush()

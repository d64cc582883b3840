"""Runs the whole of kubeadm init or kubeadm join."""

from __future__ import annotations

import json

from bootstrap import etcd, etcdwords, hairpin, kubevip, leftovers
from bootstrap.boot import Boot
from bootstrap.failures import Final, Retry
from bootstrap.phases import INIT_MODE, JOIN_MODE
from bootstrap.reasons import Note
from bootstrap.tools import NOT_FOUND, TIMED_OUT, Result

COMMAND_LIMIT = 1800.0
# Older releases say by their exit code what went wrong; 1.36 and later always end with 1.
PREFLIGHT, INVALID = 2, 3
FLAGS = {INIT_MODE: ("--skip-token-print",), JOIN_MODE: ()}
# What an earlier try of our own leaves behind, and kubeadm would stop at.
OWN_PORTS = (10250, 10257, 10259, 2379, 2380)
OWN_FILES = (
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "/etc/kubernetes/manifests/kube-scheduler.yaml",
)
CONTROL_PLANE_LABELS = {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}
# What Go calls ENOSPC.
NO_SPACE = "no space left on device"
# How kubectl says that it got no answer, as against a refusal.
NO_ANSWER = (
    "connection refused",
    "connection reset",
    "context deadline exceeded",
    "EOF",
    "i/o timeout",
    "InternalError",
    "network is unreachable",
    "no route to host",
    "no such host",
    "ServiceUnavailable",
    "Timeout",
    "timeout",
)


def init(boot: Boot) -> Note:
    """Starts the cluster, or goes on starting it."""
    hairpin.hold(boot)
    return _run(boot, INIT_MODE)


def join(boot: Boot) -> Note:
    """Joins the cluster, unless an earlier try got far enough."""
    if _joined(boot):
        boot.to_disk()
        boot.state.mark_joined()
        return Note("resumed", f"the cluster knows this machine as the node {boot.node_name} already")
    with hairpin.held_when_ready(boot):
        return _run(boot, JOIN_MODE)


def _run(boot: Boot, verb: str) -> Note:
    resumed = leftovers.clear(boot)
    leftovers.restore(boot)
    kubevip.place(boot)
    if verb == INIT_MODE:
        kubevip.lend(boot)
    number = boot.state.count(f"kubeadm-{verb}")
    boot.report_identity()
    command = ("kubeadm", verb, "--config", str(boot.config_file), *FLAGS[verb])
    ignored = _ignored(boot) if resumed else ()
    result = boot.tools.perform(*command, *ignored, log=f"kubeadm-{verb}", limit=COMMAND_LIMIT)
    if result.code:
        raise _failure(boot, result, number)
    # Before anything relies on it, and before what it was made of goes.
    boot.to_disk()
    boot.state.mark_joined()
    return Note("", f"try {number}" if number > 1 else "")


def _ignored(boot: Boot) -> tuple[str, ...]:
    config = boot.config
    # kubeadm refuses single checks beside "all".
    if config.ignores_everything:
        return ()
    ports = [f"Port-{port}" for port in (config.api_port, *OWN_PORTS)]
    paths = [f"FileAvailable-{path.replace('/', '-')}" for path in OWN_FILES]
    folders = [f"DirAvailable-{etcd.data_folder(boot).replace('/', '-')}"]
    return ("--ignore-preflight-errors=" + ",".join([*ports, *paths, *folders]),)


def _failure(boot: Boot, result: Result, number: int) -> Retry | Final:
    words = _last_words(result.out)
    if NO_SPACE in words:
        # Before the configuration is asked about: kubeadm's check of it needs room as well, and says the same.
        return Retry("disk-full", f"try {number}: {words}")
    if result.code == INVALID or _refuses_config(boot, words):
        return Final("kubeadm-invalid", f"kubeadm refuses its configuration: {words}")
    preflight = result.code == PREFLIGHT or "execution phase preflight" in result.out
    reason = "preflight-failed" if preflight else etcdwords.reason_in(words) or "kubeadm-failed"
    if result.code == TIMED_OUT:
        reason, words = "kubeadm-timeout", f"kubeadm did not end within {COMMAND_LIMIT:.0f} s"
    return Retry(reason, f"try {number}: {words}")


def _refuses_config(boot: Boot, words: str) -> bool:
    """Whether the failed run's words are those of kubeadm's own check, so that no time and no network will help."""
    # The check's refusal alone proves nothing: it is stricter than init and join are.
    verdict = boot.tools.ask("kubeadm", "config", "validate", "--config", str(boot.config_file))
    refused = verdict.code not in {0, NOT_FOUND, TIMED_OUT}
    return refused and bool(words) and _last_words(boot.mask(verdict.out) + verdict.err) == words


def _last_words(output: str) -> str:
    """The part of kubeadm's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    checks = [line for line in lines if line.startswith("[ERROR ")]
    errors = [line for line in lines if line.startswith("error")]
    return "; ".join(checks or errors[-1:] or lines[-1:])[:400]


def _joined(boot: Boot) -> bool:
    """The API accepts this machine's own certificate for its node, and nothing else was left to do."""
    control_plane = boot.node.control_plane
    if not boot.paths.kubelet_conf.exists() or (control_plane and not etcd.has_member(boot)):
        return False
    # The kubelet of a control plane may be told to talk to the API server beside it, which may not run yet.
    kubectl = (*boot.kubectl(boot.paths.kubelet_conf), "--server", f"https://{boot.node.endpoint}")
    answer = boot.tools.ask(*kubectl, "--request-timeout=10s", "get", "node", boot.node_name, "-o", "json")
    if answer.code and any(words in answer.err for words in NO_ANSWER):
        raise Retry("api-silent", f"no word whether this machine is a node already: {answer.err.strip()[-200:]}")
    if answer.code:
        return False
    return not control_plane or bool(CONTROL_PLANE_LABELS & set(_labels(answer.out)))


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = json.loads(text)["metadata"].get("labels") or {}
    return labels

"""Lets the spec's admin user work with the cluster from a control plane."""

from __future__ import annotations

from bootstrap.boot import Boot
from bootstrap.reasons import Note

# Done as the user: what root would write below a home could be led elsewhere by a link. What the user has stays. The
# second folder is where bash-completion looks for a user's own completions, if it is installed (its README).
SCRIPT = """
umask 077
set -e
mkdir -p ~/.kube ~/.local/share/bash-completion/completions
if [ ! -e ~/.kube/config ]; then
    cat > ~/.kube/config.new
    mv ~/.kube/config.new ~/.kube/config
fi
kubectl completion bash > ~/.local/share/bash-completion/completions/kubectl
"""


def serve(boot: Boot) -> Note:
    """Gives the user a kubeconfig, as kubeadm's own last words ask for, and kubectl's completion for bash.

    The user may become root without a password, so that this is no right that it does not have. It is no reason to hold
    a node up either.
    """
    user, source = boot.node.admin, boot.paths.admin_conf
    if not user:
        return Note()
    if not source.exists():
        return Note("kubeconfig-missing", f"{user} has no kubeconfig: {source} is missing")
    answer = boot.tools.ask("runuser", "--login", user, "--command", SCRIPT, given=source.read_text())
    if answer.code:
        return Note("kubeconfig-missing", f"{user} was not served: {answer.err.strip()[-200:]}")
    return Note("", f"{user} has ~/.kube/config")

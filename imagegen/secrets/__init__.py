"""The secrets bundle: made once, checked on every load; and the kubeconfig that it can make offline."""

from imagegen.secrets.kubeconfig import make_kubeconfig
from imagegen.secrets.make import make_bundle
from imagegen.secrets.store import dump_bundle, load_bundle

__all__ = ["dump_bundle", "load_bundle", "make_bundle", "make_kubeconfig"]

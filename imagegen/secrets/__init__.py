"""The secrets bundle: made once, checked on every load; and the kubeconfig that it can make offline."""

"""Approves what kubelets ask for to serve with, where it is theirs to ask."""

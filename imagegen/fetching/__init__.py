"""Asks vendors, their mirrors and registries: what there is, and its bytes, compared with what was said of them."""
